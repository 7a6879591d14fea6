import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { releaseManyRoute } from "../shared/http/releaseMany.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";

const handler = httpHandler(releaseManyRoute(mirrorFacts.shards), httpPorts, nowMs);

/** By its name it comes before `mailbox`, whose wider route would take it: the host tries names in alphabetical order. */
app.http("fleetRelease", {
  route: "mailboxes/release",
  methods: ["POST"],
  authLevel: "function",
  handler,
});
