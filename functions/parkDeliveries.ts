import { app, type StorageQueueHandler } from "@azure/functions";
import { queues } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { parkDeliveries } from "../shared/push/pushMessages.js";

const handler: StorageQueueHandler = (message, context) => {
  parkDeliveries(message, logOf(context));
};

app.storageQueue("parkDeliveries", { ...queues.poisonPush, handler });
