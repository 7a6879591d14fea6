import { app } from "@azure/functions";
import { betaMethods, betaRoute } from "../shared/http/beta/beta.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(betaRoute, httpPorts, nowMs);

// $batch, $metadata, keys in parentheses, and all that leads nowhere. The host tries functions in the order of their names:
// this one has to come after all others below `beta`, or it would take their requests.
app.http("restOfBeta", {
  route: "beta/{*rest}",
  methods: [...betaMethods],
  authLevel: "function",
  handler,
});
