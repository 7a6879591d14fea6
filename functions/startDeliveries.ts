import { app, output, type TimerHandler } from "@azure/functions";
import { pushPorts, queues, telemetry } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { LogTimes } from "../shared/push/behind.js";
import { startDeliveries } from "../shared/push/pushMessages.js";
import { subscriberPoints } from "../shared/telemetry/pushTelemetry.js";

const push = output.storageQueue(queues.push);
const times = new LogTimes();

/** Finds whoever is behind, though no message has said so, and subscriptions that end. Reports how subscribers stand. */
const handler: TimerHandler = async (_timer, context) => {
  const ports = await pushPorts(logOf(context));
  const { next, seen } = await startDeliveries(ports);
  telemetry.record(await subscriberPoints(seen, ports.store, times, ports.clock.nowMs()));
  context.extraOutputs.set(
    push,
    next.map((one) => JSON.stringify(one)),
  );
};

app.timer("startDeliveries", { schedule: "0 */5 * * * *", extraOutputs: [push], handler });
