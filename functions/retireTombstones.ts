import { app, type TimerHandler } from "@azure/functions";
import { retentionPorts } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { applyRetention } from "../shared/rounds/retention.js";

const handler: TimerHandler = async (_timer, context) => {
  await applyRetention(await retentionPorts(logOf(context)));
};

app.timer("retireTombstones", { schedule: "0 30 3 * * *", handler });
