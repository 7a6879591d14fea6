import { inTheLogOfActions } from "./planted/actions.js";
import { belowBeta } from "./planted/beta.js";
import { inTheCore } from "./planted/core.js";
import { inTheDashboard } from "./planted/dashboard.js";
import { described } from "./planted/description.js";
import { inTheDrivers } from "./planted/drivers.js";
import { inTheFeedAndTheFleet } from "./planted/feedAndFleet.js";
import { inTheSearch } from "./planted/find.js";
import { inTheGraphClient } from "./planted/graph.js";
import { inTheHistory } from "./planted/history.js";
import { inTheKinds } from "./planted/kinds.js";
import { inTheLog } from "./planted/log.js";
import { inTheNames } from "./planted/names.js";
import { inThePace } from "./planted/pace.js";
import { inThePush } from "./planted/push.js";
import { inTheQueryOptions } from "./planted/query.js";
import { inTheStart } from "./planted/start.js";
import { inTheStatus } from "./planted/status.js";
import { inTheStore } from "./planted/store.js";
import { inTheSubscribers } from "./planted/subscribers.js";
import { inTheTable } from "./planted/table.js";
import { inTheWire } from "./planted/wire.js";

/** Every fault that is planted: by the part of the product that it is in. */
export const MUTANTS = [
  ...inTheStore,
  ...inTheTable,
  ...inTheCore,
  ...inTheGraphClient,
  ...inTheDrivers,
  ...inTheFeedAndTheFleet,
  ...belowBeta,
  ...described,
  ...inTheDashboard,
  ...inTheKinds,
  ...inTheHistory,
  ...inTheLogOfActions,
  ...inTheLog,
  ...inTheSearch,
  ...inTheNames,
  ...inThePace,
  ...inThePush,
  ...inTheQueryOptions,
  ...inTheStart,
  ...inTheStatus,
  ...inTheSubscribers,
  ...inTheWire,
];
