import { app } from "@azure/functions";
import { brakeReleaseRoute } from "../shared/http/brakeRelease.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(brakeReleaseRoute, httpPorts, nowMs);

app.http("brakeRelease", {
  route: "brake/release",
  methods: ["POST"],
  authLevel: "function",
  handler,
});
