import { app, output, type TimerHandler } from "@azure/functions";
import { newId, nowMs, registered, requireSettings } from "../shared/live.js";
import { startRounds } from "../shared/mirror/startRounds.js";

const rounds = output.storageQueue({ queueName: registered.roundsQueue, connection: "AzureWebJobsStorage" });

export const handler: TimerHandler = (_timer, context) => {
  const messages = startRounds(registered.shards, nowMs(), newId());
  // Strings: the host would print objects as indented JSON.
  context.extraOutputs.set(
    rounds,
    messages.map((message) => JSON.stringify(message)),
  );
  context.log(`tick ${messages[0]?.tick ?? ""} shards=${messages.length}`);
};

app.timer("startRounds", { schedule: registered.syncSchedule, extraOutputs: [rounds], handler });
requireSettings();
