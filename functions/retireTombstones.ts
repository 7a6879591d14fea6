import { app, type TimerHandler } from "@azure/functions";
import { retirePorts } from "../shared/live.js";
import { logOf } from "../shared/log.js";
import { retireTombstones } from "../shared/rounds/retention.js";

const handler: TimerHandler = async (_timer, context) => {
  await retireTombstones(await retirePorts(logOf(context)));
};

app.timer("retireTombstones", { schedule: "0 30 3 * * *", handler });
