import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxCalendarsRoute } from "../shared/http/mailboxCalendars.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(mailboxCalendarsRoute, httpPorts, nowMs);

app.http("mailboxCalendars", {
  route: "mailboxes/{id}/calendars",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
