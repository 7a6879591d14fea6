import { app } from "@azure/functions";
import { allCalendarsRoute } from "../shared/http/beta/allCalendars.js";
import { compressed } from "../shared/http/gzip.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(compressed(allCalendarsRoute), httpPorts, nowMs);

app.http("betaAllCalendars", {
  route: "beta/users/getAllCalendars/{*rest}",
  methods: ["GET"],
  authLevel: "function",
  handler,
});
