import { app } from "@azure/functions";
import { userCalendarsRoute } from "../shared/http/beta/calendars.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(userCalendarsRoute, httpPorts, nowMs);

// One function with a catch-all: an id may hold slashes, and Azure's front end decodes them before it routes.
app.http("betaUserCalendars", {
  route: "beta/users/{id}/calendars/{*rest}",
  methods: ["GET"],
  authLevel: "function",
  handler,
});
