import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { openapiRoute } from "../shared/http/openapi.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(openapiRoute, httpPorts, nowMs);

app.http("openapi", {
  route: "openapi.json",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
