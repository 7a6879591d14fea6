import { app } from "@azure/functions";
import { allCalendarsRoute, betaMethods } from "../shared/http/beta/beta.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(allCalendarsRoute, httpPorts, nowMs);

// A function of its own, so that a key of its own can be given to those who read the whole tenant.
app.http("betaAllCalendars", {
  route: "beta/users/getAllCalendars/{*rest}",
  methods: [...betaMethods],
  authLevel: "function",
  handler,
});
