import { app, type HttpHandler, output } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { subscriberActionRoute } from "../shared/http/subscribers.js";
import { httpPorts, nowMs, queues } from "../shared/live.js";

const push = output.storageQueue(queues.push);

const handler: HttpHandler = (request, context) => {
  const route = subscriberActionRoute((message) => context.extraOutputs.set(push, [JSON.stringify(message)]));
  return httpHandler(route, httpPorts, nowMs)(request, context);
};

app.http("subscriberActions", {
  route: "subscribers/{id}/{action}",
  methods: ["POST"],
  authLevel: "function",
  extraOutputs: [push],
  handler,
});
