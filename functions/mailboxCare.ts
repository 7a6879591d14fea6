import { app, type HttpHandler, output } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxActionRoute } from "../shared/http/mailboxActions.js";
import { httpPorts, nowMs, queues } from "../shared/live.js";

const pages = output.storageQueue(queues.pages);

const handler: HttpHandler = (request, context) => {
  const route = mailboxActionRoute((message) => context.extraOutputs.set(pages, [JSON.stringify(message)]));
  return httpHandler(route, httpPorts, nowMs)(request, context);
};

app.http("mailboxCare", {
  route: "mailboxes/{id}/{action}",
  methods: ["POST"],
  authLevel: "function",
  extraOutputs: [pages],
  handler,
});
