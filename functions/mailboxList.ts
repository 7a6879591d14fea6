import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxListRoute } from "../shared/http/mailboxList.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";

const handler = httpHandler(mailboxListRoute(mirrorFacts.shards), httpPorts, nowMs);

app.http("mailboxList", {
  route: "mailboxes",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
