import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxHistoryRoute } from "../shared/http/history.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(mailboxHistoryRoute, httpPorts, nowMs);

app.http("mailboxHistory", {
  route: "mailboxes/{id}/history",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
