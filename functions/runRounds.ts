import { app, output, type StorageQueueHandler } from "@azure/functions";
import { discoverPorts, livePorts, queues, telemetry, wakeSubscribers } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parseRoundsMessage } from "../shared/messages.js";
import { discoverMailboxes } from "../shared/roster/discover.js";
import { runRounds } from "../shared/rounds/runRounds.js";
import { runAttributes, runPoints } from "../shared/telemetry/runTelemetry.js";

const rounds = output.storageQueue(queues.rounds);
const pages = output.storageQueue(queues.pages);

const handler: StorageQueueHandler = async (message, context) => {
  const work = parseRoundsMessage(message);
  if ("discover" in work) {
    const { continuation } = await discoverMailboxes(work, await discoverPorts(logOf(context)));
    if (continuation !== null) context.extraOutputs.set(rounds, [JSON.stringify(continuation)]);
    return;
  }
  const ports = await livePorts(logOf(context));
  const end = await runRounds(work, ports);
  telemetry.note(() => runAttributes(work.shard, end));
  telemetry.record(runPoints(work.shard, end));
  context.extraOutputs.set(
    pages,
    end.pages.map((page) => JSON.stringify(page)),
  );
  if (end.continuation !== null) context.extraOutputs.set(rounds, [JSON.stringify(end.continuation)]);
  if (end.hasLogged) await wakeSubscribers(ports.log, ports);
};

app.storageQueue("runRounds", { ...queues.rounds, extraOutputs: [rounds, pages], handler });
