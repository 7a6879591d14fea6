import { app } from "@azure/functions";
import { operatorRoute } from "../shared/http/actionLog.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(operatorRoute, httpPorts, nowMs);

// Whoever has no key for it is shown no actions: a key that only reads is not set on it.
app.http("operator", { route: "operator", methods: ["GET", "HEAD"], authLevel: "function", handler });
