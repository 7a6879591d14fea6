import type { Mutant } from "./mutant.js";

const loop = ["test/push/deliver.test.ts", "test/push/deliverProperty.test.ts"];

/** Faults in the delivery of notifications. */
export const inThePush: readonly Mutant[] = [
  {
    name: "take a request that nobody has accepted for told",
    file: "shared/push/deliver.ts",
    from: `      if (outcome.kind !== "accepted") return this.#fail(done, outcome);
      status = outcome.status;
      accepted += count;`,
    to: `      accepted += count;
      if (outcome.kind !== "accepted") return this.#fail(done, outcome);
      status = outcome.status;`,
    unit: loop,
  },
  {
    name: "move a subscriber's position before it has said yes",
    file: "shared/push/deliver.ts",
    from: `      const end = await this.#tell(moves, isLast);`,
    to: `      await this.#save((now) => moved(now, moves, this.#nowMs()));
      const end = await this.#tell(moves, isLast);`,
    unit: loop,
  },
  {
    name: "go away without a look at what was logged while a claim stood",
    file: "shared/push/deliver.ts",
    from: `if (kind === "lost") return delivery.end("lost");`,
    to: `if (kind !== "failed") return delivery.end(kind === "lost" ? "lost" : "upToDate");`,
    unit: loop,
  },
  {
    name: "deliver beside another delivery",
    file: "shared/push/decide.ts",
    from: `if (claimedUntilMs !== null && claimedUntilMs > nowMs) return "claimed";`,
    to: ``,
    unit: loop,
  },
  {
    name: "leave a subscription to a delivery that has died",
    file: "shared/push/decide.ts",
    from: `if (claimedUntilMs !== null && claimedUntilMs > nowMs) return "claimed";`,
    to: `if (claimedUntilMs !== null) return "claimed";`,
    unit: loop,
  },
  {
    name: "write onto a subscription that another delivery has taken over",
    file: "shared/push/deliver.ts",
    from: `now?.subscription.claimedBy === this.#by ? now : null`,
    to: `now`,
    unit: loop,
  },
  {
    name: "skip the rest of an entry of the log that did not fit a request",
    file: "shared/push/logNotifications.ts",
    from: `  if (sent < of) return { number: before, entries: index, sent };`,
    to: ``,
    unit: ["test/push/logNotifications.test.ts"],
  },
  {
    name: "skip what an entry has become that was forgotten while it was told",
    file: "shared/push/logNotifications.ts",
    from: ` && from.sent < told.length ? from.sent`,
    to: ` ? from.sent`,
    unit: ["test/push/logNotifications.test.ts"],
  },
  {
    name: "say nothing to who asked for other changes than those that are not told one by one",
    file: "shared/push/logNotifications.ts",
    from: `subject.kind === "calendars" && first !== undefined ?`,
    to: `subject.kind === "calendars" && first === "updated" ?`,
    unit: ["test/push/logNotifications.test.ts"],
  },
  {
    name: "keep it from a subscriber that the history ran out before it",
    file: "shared/push/deliver.ts",
    from: `return [moveTo(shard, number, true)];`,
    to: `return [moveTo(shard, number, false)];`,
    unit: loop,
  },
  {
    name: "tell of a second miss under the id of the first",
    file: "shared/push/decide.ts",
    from: `moves.some(({ isMissed }) => isMissed) ? nowMs : subscription.missedMs`,
    to: `subscription.missedMs ?? (moves.some(({ isMissed }) => isMissed) ? nowMs : null)`,
    unit: ["test/push/decide.test.ts"],
  },
  {
    name: "pass over rows that stand where the history ran out",
    file: "shared/push/deliver.ts",
    from: `oldest.number <= upTo ? oldest.number - 1 : upTo`,
    to: `oldest.number <= upTo ? oldest.number : upTo`,
    unit: loop,
  },
  {
    name: "come back sooner than a subscriber has asked",
    file: "shared/push/decide.ts",
    from: `const waitMs = Math.max(askedMs, `,
    to: `const waitMs = Math.max(0, `,
    unit: ["test/push/decide.test.ts"],
  },
  {
    name: "stay away as long as a subscriber pleases",
    file: "shared/push/decide.ts",
    from: `Math.min(failure.retryAfterMs ?? 0, waitMaxMs)`,
    to: `(failure.retryAfterMs ?? 0)`,
    unit: ["test/push/decide.test.ts"],
  },
  {
    name: "take one who has had a bad day for gone",
    file: "shared/push/decide.ts",
    from: `failure.status === 404 || failure.status === 410`,
    to: `failure.status >= 400`,
    unit: ["test/push/decide.test.ts"],
  },
  {
    name: "let a lifecycle address that is down keep changes from a subscriber",
    file: "shared/push/deliver.ts",
    from: `return this.#save((now) => afterLifecycleFailure(now, this.#nowMs()));`,
    to: `return false;`,
    unit: loop,
  },
  {
    name: "make subscriptions with the key of one mailbox",
    file: "shared/http/beta/beta.ts",
    from: `    return isRead(request) ? nothing(path) : readOnly;`,
    to: `    return path.kind === "subscriptions" ? answerOf(path, request, ports) : isRead(request) ? nothing(path) : readOnly;`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "read clientState back",
    file: "shared/http/beta/subscriptions.ts",
    from: `clientState: null,`,
    to: `clientState: subscription.clientState,`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "tell an address that has not consented",
    file: "shared/http/beta/subscriptions.ts",
    from: `return withheld === undefined ? null : bad(`,
    to: `return withheld === undefined || withheld.kind === "withheld" ? null : bad(`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "move to an address that was not asked",
    file: "shared/http/beta/subscriptions.ts",
    from: `change.notificationUrl === null ? [] : [change.notificationUrl]`,
    to: `change.notificationUrl === null ? [] : []`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "pass over a misspelt property",
    file: "shared/http/beta/subscriptionRequest.ts",
    from: `    if (!known.includes(name))`,
    to: `    if (!known.includes(name)) continue;
    if (!known.includes(name))`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "begin a subscription with all that the logs hold",
    file: "shared/http/beta/subscriptions.ts",
    from: `number: numbers[shard] ?? 0,`,
    to: `number: 0,`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "lose a renewal to a delivery",
    file: "shared/http/beta/subscriptions.ts",
    from: `const writesMax = 20;`,
    to: `const writesMax = 1;`,
    unit: ["test/http/subscriptions.test.ts"],
  },
  {
    name: "wake nobody for rows that a crashed run has logged",
    file: "shared/rounds/run.ts",
    from: `return this.hasUntold || this.nudges.hasLogged;`,
    to: `return this.nudges.hasLogged;`,
    unit: ["test/rounds/nudge.test.ts"],
  },
  {
    name: "take a message that was handled for one that is to come",
    file: "shared/push/waker.ts",
    from: `coveredMs: secondMs,`,
    to: `coveredMs: 60 * secondMs,`,
    unit: ["test/push/waker.test.ts"],
  },
  {
    name: "go on sending after an operator has paused it",
    file: "shared/push/deliver.ts",
    from: `      if (this.#held?.subscription.pausedReason !== null) return this.#release();`,
    to: ``,
    unit: loop,
  },
];
