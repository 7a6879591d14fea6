import type { Log } from "../log.js";
import { type DeliverMessage, parsePushMessage, type WakeMessage } from "../messages.js";
import type { Store } from "../store/store.js";
import { type DeliverEnd, type DeliverPorts, deliver } from "./deliver.js";
import { dueSubscriptions } from "./due.js";

/** All that messages of the push queue need from outside. */
export type PushPorts = Omit<DeliverPorts, "store"> & {
  readonly store: DeliverPorts["store"] & Pick<Store, "readSubscriptions">;
  /** Puts a message on the push queue, to be seen after so many whole seconds. */
  readonly send: (message: DeliverMessage, delaySeconds: number) => Promise<void>;
};

/** What came of a message. `end`: how a delivery ended; null where it was none. */
type Handled = { readonly next: readonly DeliverMessage[]; readonly end: DeliverEnd | null };

/** A message for each of them. */
export function messagesFor(subscriptionIds: readonly string[]): readonly DeliverMessage[] {
  return subscriptionIds.map((subscription) => ({ subscription }));
}

/** Does what a message of the push queue asks for. @returns The messages that follow at once; later ones are sent here. */
export async function handlePushMessage(message: DeliverMessage | WakeMessage, ports: PushPorts): Promise<Handled> {
  if ("wake" in message) {
    return { next: messagesFor(await dueSubscriptions(ports.store, ports.clock.nowMs())), end: null };
  }
  const end = await deliver(message.subscription, ports);
  const { kind, requests, notifications, againSeconds } = end;
  const fields = { subscription: message.subscription, requests, notifications };
  if (requests > 0 || kind === "expired") ports.log("info", `delivery ${kind}`, fields);
  if (againSeconds === 0) return { next: [message], end };
  if (againSeconds !== null) await ports.send(message, againSeconds);
  return { next: [], end };
}

/** A message that failed time and again: logged, since the timer sends a new one for whoever is behind. */
export function parkDeliveries(body: unknown, log: Log): "logged" | "unreadable" {
  try {
    log("error", "delivery failed time and again; the timer tries anew", { ...parsePushMessage(body) });
    return "logged";
  } catch (error) {
    log("error", "poison push message dropped", { why: error instanceof Error ? error.message : String(error) });
    return "unreadable";
  }
}
