import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { historyRoute } from "../shared/http/history.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";

const handler = httpHandler(historyRoute(mirrorFacts.shards), httpPorts, nowMs);

app.http("history", {
  route: "history",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
