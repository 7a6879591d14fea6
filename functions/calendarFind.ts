import { app } from "@azure/functions";
import { calendarFindRoute } from "../shared/http/calendarFind.js";
import { httpHandler } from "../shared/http/handler.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";

const handler = httpHandler(calendarFindRoute(mirrorFacts.shards), httpPorts, nowMs);

app.http("calendarFind", {
  route: "calendars",
  methods: ["GET", "HEAD"],
  authLevel: "function",
  handler,
});
