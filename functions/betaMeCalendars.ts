import { app } from "@azure/functions";
import { betaMethods, meRoute } from "../shared/http/beta/beta.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(meRoute, httpPorts, nowMs);

// One function with a catch-all: an id may hold slashes, and Azure's front end decodes them before it routes.
// Anonymous: App Service Authentication guards it, and without that the route refuses everybody.
app.http("betaMeCalendars", {
  route: "beta/me/{*rest}",
  methods: [...betaMethods],
  authLevel: "anonymous",
  handler,
});
