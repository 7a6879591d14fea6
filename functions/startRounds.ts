import { app, output, type TimerHandler } from "@azure/functions";
import { queues, registered, startPorts } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { startRounds } from "../shared/rounds/startRounds.js";

const rounds = output.storageQueue(queues.rounds);

const handler: TimerHandler = async (_timer, context) => {
  const { tick, atOnce } = await startRounds(await startPorts(logOf(context)));
  // Strings: the host would print objects as indented JSON.
  context.extraOutputs.set(
    rounds,
    atOnce.map((message) => JSON.stringify(message)),
  );
  context.log(`tick ${tick} shards=${registered.shards}`);
};

app.timer("startRounds", {
  schedule: registered.syncSchedule,
  extraOutputs: [rounds],
  handler,
});
