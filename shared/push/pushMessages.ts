import type { Log } from "../log.js";
import { type DeliverMessage, parsePushMessage, type WakeMessage } from "../messages.js";
import type { Store } from "../store/store.js";
import { secondMs } from "../sync/time.js";
import { claimMs } from "./decide.js";
import { type DeliverEnd, type DeliverPorts, deliver } from "./deliver.js";
import { type SeenSubscribers, seeSubscribers } from "./due.js";

/** Bounds of messages. All are our own choice. */
const messageLimits = {
  /**
   * Subscriptions of one message. All are delivered to at once, so that however slow they are, they take one of the few places at the queue
   * together; and what they read is read once.
   */
  subscriptionsMax: 25,
  /** After a wait or a claim has ended: a message that comes too early would be for nothing. */
  afterMs: secondMs,
  /** So much later a look may come, so that it serves others as well. */
  slackMs: 5 * secondMs,
  /** A delivery that begins has its claim long before that: a look after then finds the claim, or finds it undelivered. */
  beginMs: 30 * secondMs,
} as const;

/** All that messages of the push queue need from outside. */
export type PushPorts = Omit<DeliverPorts, "store"> & {
  readonly store: DeliverPorts["store"] & Pick<Store, "readSubscriptions" | "readLog">;
  /** Sees to it that it is looked who is to be delivered to, between these times. Epoch milliseconds. */
  readonly lookBetween: (earliestMs: number, latestMs: number) => Promise<void>;
};

/**
 * What came of a message: the messages that follow at once, and how each delivery ended that did. `failure`: what the first threw that did
 * not, for the caller to throw once it has told of the others: the message comes again, for all.
 */
type Handled = {
  readonly next: readonly DeliverMessage[];
  readonly ends: readonly DeliveryEnd[];
  readonly failure: { readonly reason: unknown } | null;
};

/** How the delivery to one subscription ended. */
export type DeliveryEnd = DeliverEnd & { readonly subscriptionId: string };

/**
 * Messages for all subscriptions that there is something to do for. Where some are delivered to at the moment, it is looked again when the
 * first claim ends: whoever has it may have been killed.
 */
export async function startDeliveries(
  ports: Pick<PushPorts, "store" | "clock" | "logs" | "lookBetween">,
): Promise<{ readonly next: readonly DeliverMessage[]; readonly seen: SeenSubscribers }> {
  const seen = await seeSubscribers(ports.store, ports.logs, ports.clock.nowMs());
  if (seen.claimedUntilMs !== null) await lookFrom(seen.claimedUntilMs + messageLimits.afterMs, ports);
  return { next: messagesOf(seen.due), seen };
}

/** Does what a message of the push queue asks for. */
export async function handlePushMessage(message: DeliverMessage | WakeMessage, ports: PushPorts): Promise<Handled> {
  if ("wake" in message) return { next: (await startDeliveries(ports)).next, ends: [], failure: null };
  const nowMs = ports.clock.nowMs();
  // Before anything is claimed: a process that is killed takes its messages along for ten minutes.
  await ports.lookBetween(nowMs + messageLimits.beginMs, nowMs + claimMs + messageLimits.afterMs);
  const { subscriptions } = message;
  // By one query, where there are several.
  const all = subscriptions.length > 1 ? await ports.store.readSubscriptions() : [];
  const known = new Map(all.map((held) => [held.subscription.subscriptionId, held]));
  const settled = await Promise.allSettled(
    subscriptions.map(async (subscriptionId): Promise<DeliveryEnd> => {
      const end = await deliver(subscriptionId, ports, known.get(subscriptionId) ?? null);
      const { kind, requests, notifications, againSeconds } = end;
      const fields = { subscription: subscriptionId, requests, notifications };
      if (requests > 0 || kind === "expired") ports.log("info", `delivery ${kind}`, fields);
      if (kind === "failed" && againSeconds !== null) {
        await lookFrom(ports.clock.nowMs() + againSeconds * secondMs, ports);
      }
      return { ...end, subscriptionId };
    }),
  );
  let failure: Handled["failure"] = null;
  for (const [index, one] of settled.entries()) {
    if (one.status === "fulfilled") continue;
    failure ??= one; // The exception tells one alone, and not whose it is.
    ports.log("error", "delivery broke off", { subscription: subscriptions[index] ?? null, error: String(one.reason) });
  }
  const ends = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const unfinished = ends.filter(({ kind }) => kind === "unfinished");
  return { next: messagesOf(unfinished.map(({ subscriptionId }) => subscriptionId)), ends, failure };
}

function lookFrom(earliestMs: number, { lookBetween }: Pick<PushPorts, "lookBetween">): Promise<void> {
  return lookBetween(earliestMs, earliestMs + messageLimits.slackMs);
}

function messagesOf(ids: readonly string[]): readonly DeliverMessage[] {
  const messages: DeliverMessage[] = [];
  for (let start = 0; start < ids.length; start += messageLimits.subscriptionsMax) {
    messages.push({ subscriptions: ids.slice(start, start + messageLimits.subscriptionsMax) });
  }
  return messages;
}

/** A message that failed time and again: logged, since the timer sends a new one for whoever is behind. */
export function parkDeliveries(body: unknown, log: Log): "logged" | "unreadable" {
  try {
    const message = parsePushMessage(body);
    const fields = "wake" in message ? message : { subscriptions: message.subscriptions.join() };
    log("error", "delivery failed time and again; the timer tries anew", fields);
    return "logged";
  } catch (error) {
    log("error", "poison push message dropped", { why: error instanceof Error ? error.message : String(error) });
    return "unreadable";
  }
}
