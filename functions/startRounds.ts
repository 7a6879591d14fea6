import { app, output, type TimerHandler } from "@azure/functions";
import { newId, nowMs, queues, registered, requireLayout } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { startRounds } from "../shared/rounds/startRounds.js";

const rounds = output.storageQueue(queues.rounds);

const handler: TimerHandler = async (_timer, context) => {
  await requireLayout(logOf(context));
  const messages = startRounds(registered.shards, nowMs(), newId());
  // Strings: the host would print objects as indented JSON.
  context.extraOutputs.set(
    rounds,
    messages.map((message) => JSON.stringify(message)),
  );
  context.log(`tick ${messages[0]?.tick ?? ""} shards=${messages.length}`);
};

app.timer("startRounds", {
  schedule: registered.syncSchedule,
  extraOutputs: [rounds],
  handler,
});
