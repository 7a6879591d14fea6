import { app } from "@azure/functions";
import { betaMethods, subscriptionsRoute } from "../shared/http/beta/beta.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(subscriptionsRoute, httpPorts, nowMs);

// A function of its own, so that a key of its own can be given to those who subscribe.
app.http("betaSubscriptions", {
  route: "beta/subscriptions/{*rest}",
  methods: [...betaMethods],
  authLevel: "function",
  handler,
});
