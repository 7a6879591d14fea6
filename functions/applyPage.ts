import { app, output, type StorageQueueHandler } from "@azure/functions";
import { livePorts, queues, telemetry, wakeSubscribers } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parsePageMessage } from "../shared/messages.js";
import { applyPage } from "../shared/rounds/applyPage.js";
import { pagesAttributes } from "../shared/telemetry/runTelemetry.js";

const pages = output.storageQueue(queues.pages);

/** One page message after the other of a mailbox's round, or a round that an operator asked for. */
const handler: StorageQueueHandler = async (body, context) => {
  const message = parsePageMessage(body);
  const log = logOf(context);
  const ports = await livePorts(log);
  const end = await applyPage(message, ports);
  if (end.next !== null) context.extraOutputs.set(pages, [JSON.stringify(end.next)]);
  if (end.hasLogged) await wakeSubscribers(log, ports);
  telemetry.note(() => pagesAttributes(message.mailbox, end));
  log("info", `pages ${end.kind}`, { mailbox: message.mailbox, pages: end.pages, changes: end.changes });
};

app.storageQueue("applyPage", { ...queues.pages, extraOutputs: [pages], handler });
