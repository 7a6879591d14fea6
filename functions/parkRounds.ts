import { app, type StorageQueueHandler } from "@azure/functions";
import { queues } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parkRounds } from "../shared/rounds/poison.js";

const handler: StorageQueueHandler = (message, context) => {
  parkRounds(message, logOf(context));
};

app.storageQueue("parkRounds", { ...queues.poisonRounds, handler });
