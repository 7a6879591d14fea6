import { app, type HttpHandler } from "@azure/functions";
import { healthAnswers } from "../shared/http/status.js";
import { httpPorts, mirrorFacts, nowMs } from "../shared/live.js";
import { logOf } from "../shared/log.js";

const health = healthAnswers(mirrorFacts.shards, nowMs, mirrorFacts.nextFireMs);

const handler: HttpHandler = (_request, context) => health(async () => (await httpPorts(logOf(context))).store);

app.http("health", {
  route: "health",
  methods: ["GET", "HEAD"], // Probes of Front Door and Traffic Manager send HEAD, for which the host answers 404 unless it is named.
  authLevel: "anonymous",
  handler,
});
