import { app } from "@azure/functions";
import { betaMethods, userRoute } from "../shared/http/beta/beta.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(userRoute, httpPorts, nowMs);

// One function with a catch-all: an id may hold slashes, and Azure's front end decodes them before it routes.
app.http("betaUserCalendars", {
  route: "beta/users/{id}/{*rest}",
  methods: [...betaMethods],
  authLevel: "function",
  handler,
});
