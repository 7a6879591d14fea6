import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { subscribersRoute } from "../shared/http/subscribers.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(subscribersRoute, httpPorts, nowMs);

app.http("subscribers", { route: "subscribers", methods: ["GET", "HEAD"], authLevel: "function", handler });
