import type { Log } from "../log.js";
import { park } from "../sync/decide.js";
import { pageMessageOf } from "./applyPage.js";
import { parsePageMessage, parseRoundsMessage } from "./messages.js";
import { nudged } from "./nudge.js";
import { momentOf, type Ports } from "./ports.js";

/**
 * A page message that failed time and again: its mailbox is parked with that reason, so that it is seen, and looked at
 * again later. A mailbox that has moved on meanwhile is left alone.
 */
export async function parkPages(body: unknown, ports: Ports): Promise<"parked" | "movedOn" | "unreadable"> {
  const message = readable(() => parsePageMessage(body), "page", ports.log);
  if (message === null) return "unreadable";
  const held = await ports.store.readMailbox(message.mailbox);
  const awaited = held === null ? null : pageMessageOf(held.checkpoint);
  if (held === null || awaited?.round !== message.round || awaited.page !== message.page) return "movedOn";
  const { next } = park(held.checkpoint, "poisonedPage", "poisonedPage", momentOf(ports, null));
  const [result] = (await ports.store.commitUnits([{ held, rows: [], next }], null)).results;
  if (result?.kind !== "committed") return "movedOn";
  await nudged(result.held, ports); // What its earlier pages changed can be read.
  ports.log("error", "mailbox parked: its page message failed time and again", { ...message });
  return "parked";
}

/** A shard message that failed time and again. The next tick sends a new one; here it is only made known. */
export function parkRounds(body: unknown, log: Log): "told" | "unreadable" {
  const message = readable(() => parseRoundsMessage(body), "rounds", log);
  if (message === null) return "unreadable";
  log("error", "shard run failed time and again; the next tick tries anew", {
    shard: message.shard,
    tick: message.tick,
  });
  return "told";
}

/** A poison message that we never wrote has nobody to park. It is told, and dropped. */
function readable<Message>(parse: () => Message, kind: string, log: Log): Message | null {
  try {
    return parse();
  } catch (error) {
    log("error", `poison ${kind} message dropped`, { why: error instanceof Error ? error.message : String(error) });
    return null;
  }
}
