import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxRoute } from "../shared/http/mailboxes.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(mailboxRoute, httpPorts, nowMs);

app.http("mailbox", {
  route: "mailboxes/{id}",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
