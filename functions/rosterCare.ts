import { app, type HttpHandler, output } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { rosterActionRoute } from "../shared/http/rosterActions.js";
import { httpPorts, mirrorFacts, nowMs, queues } from "../shared/live.js";

const rounds = output.storageQueue(queues.rounds);

const handler: HttpHandler = (request, context) => {
  const route = rosterActionRoute(mirrorFacts.source, (message) =>
    context.extraOutputs.set(rounds, [JSON.stringify(message)]),
  );
  return httpHandler(route, httpPorts, nowMs)(request, context);
};

app.http("rosterCare", {
  route: "roster/{action}",
  methods: ["POST"],
  authLevel: "function",
  extraOutputs: [rounds],
  handler,
});
