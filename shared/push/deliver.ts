import type { Log } from "../log.js";
import { mapAtOnce } from "../mapAtOnce.js";
import type { Store, SubscriptionHeld } from "../store/store.js";
import type { Subscription } from "../sync/subscription.js";
import { secondMs } from "../sync/time.js";
import type { AfterPlace } from "./afterPlace.js";
import {
  afterAccepted,
  afterFailure,
  afterLifecycle,
  afterLifecycleFailure,
  type Behind,
  claimed,
  type Failure,
  isDue,
  isWaiting,
  type LifecycleNotification,
  type LogNumbers,
  lifecycleDue,
  moved,
  released,
  type Standing,
  shardsBehind,
  standingOf,
} from "./decide.js";
import { firstMoves, type Move, movesOf, moveTo, notificationsIn } from "./logNotifications.js";
import type { Notification } from "./notification.js";
import type { Send } from "./ports.js";
import type { PushRequest } from "./requests.js";
import type { SharedLogs } from "./sharedLogs.js";

/** How much one invocation does before it hands on. All are our own choice. */
export const deliverLimits = {
  /** Then others have their turn: a slow subscriber keeps none of the few places at the queue. */
  runMsMax: 60 * secondMs,
  /** Of a request, and of the notifications that may come twice after a crash, unless the last write was longer ago. */
  notificationsPerWriteMax: 100,
  /** Where notifications go one by one, the position is written at least as often. */
  unwrittenMsMax: 20 * secondMs,
  /** Shards whose logs are read at once. */
  shardsAtOnceMax: 4,
  /** Each attempt to write loses only to its owner, who renews or pauses it. */
  writesMax: 5,
} as const;

/** A simulation makes them tiny. */
export type DeliverLimits = Readonly<Record<keyof typeof deliverLimits, number>>;

/** What goes over the wire. */
export type Wire = {
  readonly send: Send;
  /** The requests that tell a subscriber of these notifications; each is made when it is asked for. */
  readonly requestsOf: (subscription: Subscription, notifications: readonly Notification[]) => Iterable<PushRequest>;
  /** Null: it has given no address for that. */
  readonly lifecycleRequestOf: (subscription: Subscription, event: LifecycleNotification) => PushRequest | null;
};

type DeliverStore = Pick<
  Store,
  "readSubscription" | "writeSubscription" | "deleteSubscription" | "readShardRow" | "lastLogNumber" | "readLogOn"
>;

/** All that `deliver` needs from outside. */
export type DeliverPorts = {
  readonly clock: { nowMs(): number };
  readonly random: { next(): number };
  readonly newId: () => string;
  readonly store: DeliverStore;
  /** Of the process. */
  readonly logs: SharedLogs;
  readonly wire: Wire;
  readonly log: Log;
  readonly limits: DeliverLimits;
  /** Told of so many notifications as soon as a subscriber has said yes to them: what comes of the delivery later changes nothing of that. */
  readonly onAccepted: (notifications: number) => void;
};

/**
 * How a delivery ended. `gone`: there is no such subscription, or no longer. `failed`: its subscriber has not said yes. `unfinished`:
 * its time was over. `lost`: somebody else has taken it over. The rest as it stood, with nothing left to do.
 */
export type DeliverEnd = {
  readonly kind: Exclude<Standing, "lifecycle" | "behind"> | "gone" | "failed" | "unfinished" | "lost";
  readonly requests: number;
  /** That its subscriber has said yes to. */
  readonly notifications: number;
  /** When to deliver again, in whole seconds from now; null: when there is something new. */
  readonly againSeconds: number | null;
};

/**
 * Tells a subscriber all that the logs tell after its position, and of the subscription itself. The position moves only once it has
 * said yes, so a crash between the two repeats and forgets nothing.
 *
 * Whoever delivers claims the subscription, so that a second message finds it claimed and leaves it. What is logged meanwhile
 * is not lost on it: the logs are looked at once more after the claim has ended, and a message sent after that finds no claim.
 *
 * @param known As it was read after the message came; null: it is read here. What has become of it since costs a read: it is claimed under its ETag.
 */
export async function deliver(
  subscriptionId: string,
  ports: DeliverPorts,
  known: SubscriptionHeld | null = null,
): Promise<DeliverEnd> {
  const delivery = new Delivery(ports);
  const { store, logs, clock, limits } = ports;
  const untilMs = clock.nowMs() + limits.runMsMax;
  let held = known;
  for (;;) {
    held ??= await store.readSubscription(subscriptionId);
    if (held === null) return delivery.end("gone");
    const numbers = await logs.numbers(store, Object.keys(held.subscription.position));
    const standing = standingOf(held.subscription, numbers, clock.nowMs());
    if (!isDue(standing)) return delivery.end(standing);
    if (standing === "expired") {
      if (await store.deleteSubscription(subscriptionId, held.etag)) return delivery.end("expired");
      held = null; // Renewed at the same moment, it stays: read it anew.
      if (clock.nowMs() < untilMs) continue;
    }
    if (held === null || clock.nowMs() >= untilMs) return delivery.end("unfinished", 0);
    const kind = await delivery.go(held, shardsBehind(held.subscription, numbers), untilMs);
    if (kind === "lost") return delivery.end("lost");
    if (kind === "failed") return delivery.end("failed", delivery.againSeconds());
    held = delivery.held;
  }
}

/** `gone on`: there may be more to do. */
type Gone = "gone on" | "failed" | "lost";

/** One invocation's work for one subscription. */
class Delivery {
  readonly #by: string;
  #held: SubscriptionHeld | null = null;
  #writtenMs = 0;
  #requests = 0;
  #notifications = 0;

  constructor(private readonly ports: DeliverPorts) {
    this.#by = ports.newId();
  }

  /** As this delivery has last written it; null: somebody else has written since. */
  get held(): SubscriptionHeld | null {
    return this.#held;
  }

  end(kind: DeliverEnd["kind"], againSeconds: number | null = null): DeliverEnd {
    return { kind, requests: this.#requests, notifications: this.#notifications, againSeconds };
  }

  /** Until its wait is over, and a second more: a message that comes too early would be for nothing. */
  againSeconds(): number | null {
    const { notBeforeMs = null, pausedReason = null } = this.#held?.subscription ?? {};
    if (notBeforeMs === null || pausedReason !== null) return null;
    return Math.max(0, Math.ceil((notBeforeMs - this.#nowMs()) / secondMs)) + 1;
  }

  /** Claims the subscription, tells what there is to tell as far as it stands in the logs by now, and ends the claim. */
  async go(held: SubscriptionHeld, behind: readonly Behind[], untilMs: number): Promise<Gone> {
    const nowMs = this.#nowMs();
    const taken = await this.ports.store.writeSubscription(claimed(held.subscription, this.#by, nowMs), held.etag);
    this.#held = taken === "superseded" ? null : taken;
    if (taken === "superseded") return "gone on"; // Its owner or another delivery was faster: look again.
    this.#writtenMs = nowMs;
    const event = lifecycleDue(held.subscription, nowMs);
    if (event !== null && !(await this.#tellLifecycle(taken.subscription, event))) return "lost";
    if (isWaiting(taken.subscription, nowMs) || behind.length === 0) return this.#release();
    const ends = Object.fromEntries(behind.map(({ shard, upTo }) => [shard, upTo]));
    for (;;) {
      if (this.#held?.subscription.pausedReason !== null) return this.#release();
      const { moves, hasMore } = await this.#next(ends, untilMs);
      const end = await this.#tell(moves, !hasMore, untilMs);
      if (end !== "gone on" || this.#held?.subscription.claimedBy !== this.#by) return end;
    }
  }

  /**
   * Tells what is in these steps, or some of it where its time is over before, and writes how far that went. The same write ends the
   * claim where the time is over, and where these steps are the last.
   */
  async #tell(moves: readonly Move[], isLast: boolean, untilMs: number): Promise<Gone> {
    const subscription = this.#held?.subscription;
    if (subscription === undefined) return "lost";
    const notifications = moves.flatMap(({ notification }) => notification ?? []);
    let accepted = 0;
    let status: number | null = null;
    const done = (now: Subscription): Subscription => {
      const next = moved(now, firstMoves(moves, accepted), this.#nowMs());
      return status === null ? next : afterAccepted(next, status, this.#nowMs());
    };
    for (const { count, ...request } of this.ports.wire.requestsOf(subscription, notifications)) {
      const outcome = await this.ports.wire.send(request);
      this.#requests += 1;
      if (outcome.kind !== "accepted") return this.#fail(subscription.notificationUrl, done, outcome);
      status = outcome.status;
      accepted += count;
      this.#notifications += count;
      this.ports.onAccepted(count);
      if (this.#nowMs() >= untilMs) break;
      const isLong = this.#nowMs() - this.#writtenMs >= this.ports.limits.unwrittenMsMax;
      const hasMore = accepted < notifications.length;
      if (isLong && hasMore && !(await this.#save((now) => this.#stillClaimed(done(now))))) return "lost";
      const { pausedReason, notificationUrl } = this.#held?.subscription ?? subscription;
      // Its operator has paused it meanwhile, or its owner has moved it.
      if (pausedReason !== null || notificationUrl !== subscription.notificationUrl) break;
    }
    const isEnd = isLast || this.#nowMs() >= untilMs;
    const end = isEnd ? released : (now: Subscription) => this.#stillClaimed(now);
    return (await this.#save((now) => end(done(now)))) ? "gone on" : "lost";
  }

  /** Writes down that it has not said yes; where its owner has moved it meanwhile, that is no answer of its new address. */
  async #fail(askedUrl: string, done: (now: Subscription) => Subscription, failure: Failure): Promise<Gone> {
    const moment = { nowMs: this.#nowMs(), jitter: this.ports.random.next() };
    const isMoved = (now: Subscription) => now.notificationUrl !== askedUrl;
    const isSaved = await this.#save((now) =>
      released(isMoved(now) ? done(now) : afterFailure(done(now), failure, moment)),
    );
    if (!isSaved || this.#held === null) return "lost";
    if (isMoved(this.#held.subscription)) return "gone on";
    const { subscriptionId, lastAnswer, failuresInARow, pausedReason } = this.#held.subscription;
    const fields = { subscription: subscriptionId, answer: lastAnswer, failuresInARow };
    if (pausedReason === null) this.ports.log("warn", "subscriber has not accepted", fields);
    else this.ports.log("error", "subscription paused", { ...fields, reason: pausedReason });
    return "failed";
  }

  /** A failure keeps no change from the subscriber: the lifecycle's address may be another. @returns False: lost. */
  async #tellLifecycle(subscription: Subscription, event: LifecycleNotification): Promise<boolean> {
    const told = (now: Subscription) => afterLifecycle(now, event);
    const request = this.ports.wire.lifecycleRequestOf(subscription, event);
    if (request === null) return this.#save(told);
    const { count: _count, ...sent } = request;
    const outcome = await this.ports.wire.send(sent);
    this.#requests += 1;
    if (outcome.kind === "accepted") return this.#save(told);
    const { subscriptionId } = subscription;
    const { lifecycleEvent } = event;
    this.ports.log("warn", "lifecycle notification not accepted", { subscription: subscriptionId, lifecycleEvent });
    return this.#save((now) => afterLifecycleFailure(now, this.#nowMs()));
  }

  /**
   * The next steps from where it stands, over logs up to their ends as they were found, with as many notifications as are written down
   * together. No more is held while they are sent: the rows are read again, by then mostly from those that deliveries share.
   */
  async #next(
    ends: LogNumbers,
    untilMs: number,
  ): Promise<{ readonly moves: readonly Move[]; readonly hasMore: boolean }> {
    const subscription = this.#held?.subscription;
    if (subscription === undefined) return { moves: [], hasMore: false };
    const { shardsAtOnceMax, notificationsPerWriteMax } = this.ports.limits;
    const moves: Move[] = [];
    let open = shardsBehind(subscription, ends);
    while (open.length > 0 && notificationsIn(moves) <= notificationsPerWriteMax && this.#nowMs() < untilMs) {
      const group = open.slice(0, shardsAtOnceMax);
      const read = await mapAtOnce(group, shardsAtOnceMax, (one) => this.#readOn(subscription, one));
      for (const some of read) moves.push(...some);
      const left = group.flatMap((one, index) => {
        const place = read[index]?.at(-1)?.place;
        return place === undefined || place.number === one.upTo ? [] : [{ ...one, place }];
      });
      open = [...left, ...open.slice(group.length)];
    }
    const first = firstMoves(moves, notificationsPerWriteMax);
    return { moves: first, hasMore: first.length < moves.length || open.length > 0 };
  }

  async #readOn(subscription: Subscription, { shard, place, upTo }: Behind): Promise<readonly Move[]> {
    const { store, logs, limits } = this.ports;
    // A log that ends before the place is another one: the table has lost that which it was told of.
    const after: AfterPlace =
      upTo < place.number
        ? { kind: "missed", upTo: 0, why: `The log of shard ${shard} is not the one of before.` }
        : await logs.after(store, shard, place.number, upTo);
    // One more than can be sent, to tell whether that is all.
    if (after.kind === "rows")
      return movesOf(shard, after.rows, place, subscription, limits.notificationsPerWriteMax + 1);
    const { subscriptionId } = subscription;
    const fields = { subscription: subscriptionId, shard, row: after.upTo, why: after.why };
    this.ports.log("error", "a subscriber has missed what a log held", fields);
    return [moveTo(shard, after.upTo, after.why)];
  }

  async #release(): Promise<Gone> {
    return (await this.#save(released)) ? "gone on" : "lost";
  }

  #stillClaimed(now: Subscription): Subscription {
    return claimed(now, this.#by, this.#nowMs());
  }

  /** Writes a change, also onto what its owner has changed meanwhile. @returns False: it is no longer ours. */
  async #save(change: (now: Subscription) => Subscription): Promise<boolean> {
    const { store, limits } = this.ports;
    for (let attempt = 0; attempt < limits.writesMax && this.#held !== null; attempt++) {
      const { subscription, etag } = this.#held;
      const written = await store.writeSubscription(change(subscription), etag);
      if (written !== "superseded") {
        this.#held = written;
        this.#writtenMs = this.#nowMs();
        return true;
      }
      const now = await store.readSubscription(subscription.subscriptionId);
      this.#held = now?.subscription.claimedBy === this.#by ? now : null;
    }
    return false;
  }

  #nowMs(): number {
    return this.ports.clock.nowMs();
  }
}
