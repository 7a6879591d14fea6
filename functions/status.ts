import { app } from "@azure/functions";
import { compressing } from "../shared/http/gzip.js";
import { httpHandler } from "../shared/http/handler.js";
import { statusRoute } from "../shared/http/status.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";

const handler = httpHandler(compressing(statusRoute(mirrorFacts)), httpPorts, nowMs);

app.http("status", { route: "status", methods: ["GET", "HEAD"], authLevel: "function", handler });
