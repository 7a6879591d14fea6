import { app, output, type TimerHandler } from "@azure/functions";
import { discoverPorts, newId, queues, registered } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { discoverMailboxes } from "../shared/roster/discover.js";

const rounds = output.storageQueue(queues.rounds);

const handler: TimerHandler = async (_timer, context) => {
  const end = await discoverMailboxes({ discover: newId() }, await discoverPorts(logOf(context)));
  if (end.continuation !== null) context.extraOutputs.set(rounds, [JSON.stringify(end.continuation)]);
  context.log(`roster ${end.kind}`);
};

app.timer("discoverMailboxes", {
  schedule: registered.rosterSchedule,
  extraOutputs: [rounds],
  handler,
});
