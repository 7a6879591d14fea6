import { app, output, type StorageQueueHandler } from "@azure/functions";
import { livePorts, registered, requireSettings } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parseRoundsMessage } from "../shared/mirror/messages.js";
import { runRounds } from "../shared/mirror/runRounds.js";

const connection = "AzureWebJobsStorage";
const rounds = output.storageQueue({ queueName: registered.roundsQueue, connection });
const pages = output.storageQueue({ queueName: registered.pagesQueue, connection });

export const handler: StorageQueueHandler = async (message, context) => {
  const end = await runRounds(parseRoundsMessage(message), await livePorts(logOf(context)));
  context.extraOutputs.set(
    pages,
    end.pages.map((page) => JSON.stringify(page)),
  );
  if (end.continuation !== null) context.extraOutputs.set(rounds, [JSON.stringify(end.continuation)]);
};

app.storageQueue("runRounds", {
  queueName: registered.roundsQueue,
  connection,
  extraOutputs: [rounds, pages],
  handler,
});
requireSettings();
