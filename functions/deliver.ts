import { app, output, type StorageQueueHandler } from "@azure/functions";
import { pushPorts, queues, telemetry } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parsePushMessage } from "../shared/messages.js";
import { handlePushMessage } from "../shared/push/pushMessages.js";
import { deliveryAttributes } from "../shared/telemetry/pushTelemetry.js";

const push = output.storageQueue(queues.push);

/** Notifications for some subscribers; or the messages for all that are behind. */
const handler: StorageQueueHandler = async (body, context) => {
  const message = parsePushMessage(body);
  const { next, ends, failure } = await handlePushMessage(message, await pushPorts(logOf(context)));
  if (ends.length > 0) telemetry.note(() => deliveryAttributes(ends));
  if (failure !== null) throw failure.reason; // The message comes again: for those who have been told all it is a look.
  context.extraOutputs.set(
    push,
    next.map((one) => JSON.stringify(one)),
  );
};

app.storageQueue("deliver", { ...queues.push, extraOutputs: [push], handler });
