import { app, output, type TimerHandler } from "@azure/functions";
import { pushPorts, queues } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { startDeliveries } from "../shared/push/pushMessages.js";

const push = output.storageQueue(queues.push);

/** Finds whoever is behind, though no message has said so, and subscriptions that end. */
const handler: TimerHandler = async (_timer, context) => {
  const messages = await startDeliveries(await pushPorts(logOf(context)));
  context.extraOutputs.set(
    push,
    messages.map((one) => JSON.stringify(one)),
  );
};

app.timer("startDeliveries", { schedule: "0 */5 * * * *", extraOutputs: [push], handler });
