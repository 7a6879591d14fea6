import { app, type StorageQueueHandler } from "@azure/functions";
import { livePorts, queues } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parkPages } from "../shared/rounds/poison.js";

const handler: StorageQueueHandler = async (message, context) => {
  await parkPages(message, await livePorts(logOf(context)));
};

app.storageQueue("parkPages", { ...queues.poisonPages, handler });
