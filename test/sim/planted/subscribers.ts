import type { Mutant } from "./mutant.js";

const byHand = ["test/push/byHand.test.ts"];
const views = ["test/views/subscribers.test.ts"];
const routes = ["test/http/subscribers.test.ts"];

/** Faults in how subscribers are seen and mended. */
export const inTheSubscribers: readonly Mutant[] = [
  {
    name: "skip by a replay what was not told yet",
    file: "shared/push/decide.ts",
    from: `from === undefined || from.number > place.number ? place : from`,
    to: `from === undefined ? place : from`,
    unit: byHand,
  },
  {
    name: "replay from the middle of a row",
    file: "shared/push/decide.ts",
    from: `from === undefined || from.number > place.number ? place : from`,
    to: `from === undefined || from.number >= place.number ? place : from`,
    unit: byHand,
  },
  {
    name: "lose a replay to a delivery that runs",
    file: "shared/push/decide.ts",
    from: `return released({ ...subscription, position: Object.fromEntries(back) });`,
    to: `return { ...subscription, position: Object.fromEntries(back) };`,
    unit: ["test/push/deliverProperty.test.ts"],
  },
  {
    name: "take one for gone that an operator has paused",
    file: "shared/push/decide.ts",
    from: `return before === "byHand" || before === pausedReason`,
    to: `return before === pausedReason`,
    unit: byHand,
  },
  {
    name: "resume by a renewal what an operator has paused",
    file: "shared/push/decide.ts",
    from: `return subscription.pausedReason === "gone" ? resumed(next) : next;`,
    to: `return subscription.pausedReason !== null ? resumed(next) : next;`,
    unit: routes,
  },
  {
    name: "resume one that then waits on",
    file: "shared/push/decide.ts",
    from: `pausedReason: null, pausedMs: null, failuresInARow: 0, notBeforeMs: null,`,
    to: `pausedReason: null, pausedMs: null, failuresInARow: 0,`,
    unit: byHand,
  },
  {
    name: "go on sending one by one after an operator has paused it",
    file: "shared/push/deliver.ts",
    from: `if (pausedReason !== null || notificationUrl !== subscription.notificationUrl) break;`,
    to: `if (notificationUrl !== subscription.notificationUrl) break;`,
    unit: byHand,
  },
  {
    name: "begin a replay at the stroke of a clock that others do not have",
    file: "shared/push/placesSince.ts",
    from: `row.atMs >= sinceMs - clocksDifferMsMax`,
    to: `row.atMs >= sinceMs`,
    unit: byHand,
  },
  {
    name: "begin a replay behind its first row",
    file: "shared/push/placesSince.ts",
    from: `return { number: low - 1, goneBeforeMs`,
    to: `return { number: low, goneBeforeMs`,
    unit: byHand,
  },
  {
    name: "keep it from an operator that the logs do not reach back so far",
    file: "shared/push/placesSince.ts",
    from: `oldest.number > 1 && oldest.atMs > sinceMs`,
    to: `false`,
    unit: byHand,
  },
  {
    name: "hide by a replay that the table has lost a log",
    file: "shared/push/placesSince.ts",
    from: `if ((position[shard]?.number ?? 0) > last)`,
    to: `if (last < 0)`,
    unit: byHand,
  },
  {
    name: "write an action over what a delivery has written",
    file: "shared/actions/subscriber.ts",
    from: `if (written !== "superseded") return`,
    to: `if (written === "superseded") return { subscription: next, goesBackToMs };
    if (written !== null) return`,
    unit: routes,
  },
  {
    name: "act on a subscription that has expired",
    file: "shared/actions/subscriber.ts",
    from: `if (held === null || held.subscription.expiresMs <= nowMs) return null;`,
    to: `if (held === null) return null;`,
    unit: byHand,
  },
  {
    name: "start no delivery for who was resumed",
    file: "shared/http/subscribers.ts",
    from: `if (ask.action !== "pause") start(`,
    to: `if (ask.action === "replay") start(`,
    unit: routes,
  },
  {
    name: "show where a subscriber's notifications go, and the secret in it",
    file: "shared/views/subscribers.ts",
    from: `host: new URL(subscription.notificationUrl).host,`,
    to: `host: subscription.notificationUrl,`,
    unit: routes,
  },
  {
    name: "count whoever is paused among those that are behind",
    file: "shared/views/subscribers.ts",
    from: `living.filter(({ pausedReason }) => pausedReason === null)`,
    to: `living`,
    unit: views,
  },
  {
    name: "take a log that was looked at too early for one that was lost",
    file: "shared/push/behind.ts",
    from: `place.number < upTo`,
    to: `place.number !== upTo`,
    unit: views,
  },
  {
    name: "name the wrong one as the most behind",
    file: "shared/push/behind.ts",
    from: `atMs < oldest.atMs`,
    to: `atMs > oldest.atMs`,
    unit: views,
  },
  {
    name: "read all subscribers for each viewer of the status",
    file: "shared/views/subscribers.ts",
    from: `if (kept === null || isOld) {`,
    to: `if (kept === null || isOld || ageMs >= 0) {`,
    unit: views,
  },
  {
    name: "report an old lag of a subscriber that is paused",
    file: "shared/telemetry/pushTelemetry.ts",
    from: `living.filter(({ pausedReason }) => pausedReason === null)`,
    to: `living`,
    unit: ["test/telemetry/pushTelemetry.test.ts"],
  },
  {
    name: "record where a request that was refused by us would have gone",
    file: "shared/telemetry/pushTelemetry.ts",
    from: `span.fail("forbidden");`,
    to: `span.fail(outcome.why);`,
    unit: ["test/telemetry/pushTelemetry.test.ts"],
  },
  {
    name: "let one unreadable row of a log hide all subscribers",
    file: "shared/push/behind.ts",
    from: `if (!(error instanceof RowError)) throw error;`,
    to: `throw error;`,
    unit: ["test/telemetry/pushTelemetry.test.ts"],
  },
];
