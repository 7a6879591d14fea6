import { app } from "@azure/functions";
import { actionLogRoute } from "../shared/http/actionLog.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(actionLogRoute, httpPorts, nowMs);

app.http("actionLog", { route: "actions", methods: ["GET", "HEAD"], authLevel: "function", handler });
