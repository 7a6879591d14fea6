import { app, type HttpHandler } from "@azure/functions";
import { healthAnswers } from "../shared/http/status.js";
import { httpPorts, mirrorFacts, nowMs, requireSettings, withTelemetry } from "../shared/live.js";
import { logOf } from "../shared/log.js";

const health = healthAnswers(mirrorFacts.shards, nowMs, mirrorFacts.nextFireMs);

export const handler: HttpHandler = (_request, context) => health(async () => (await httpPorts(logOf(context))).store);

app.http("health", { route: "health", methods: ["GET"], authLevel: "anonymous", handler: withTelemetry(handler) });
requireSettings();
