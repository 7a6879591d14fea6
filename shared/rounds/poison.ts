import type { Log } from "../log.js";
import { parsePageMessage, parseRoundsMessage } from "../messages.js";
import { park } from "../sync/decide.js";
import { isFor } from "./applyPage.js";
import { momentOf, type Ports } from "./ports.js";
import { commitOne } from "./step.js";

/**
 * A page message that failed time and again: its mailbox is parked with that reason, so that it is seen, and looked at
 * again later. A mailbox that has moved on meanwhile is left alone.
 */
export async function parkPages(body: unknown, ports: Ports): Promise<"parked" | "movedOn" | "unreadable"> {
  const message = readable(() => parsePageMessage(body), "page", ports.log);
  if (message === null) return "unreadable";
  if ("sync" in message) {
    // Its round is the tick's as well: nothing stands still for want of this message.
    ports.log("error", "sync by hand failed time and again", { mailbox: message.mailbox });
    return "movedOn";
  }
  const held = await ports.store.readMailbox(message.mailbox);
  if (held === null || !isFor(held.checkpoint, message)) return "movedOn";
  const { next } = park(held.checkpoint, "poisonedPage", "poisonedPage", momentOf(ports, null));
  const result = await commitOne({ held, rows: [], next }, ports);
  if (result.kind !== "committed") return "movedOn";
  ports.log("error", "mailbox parked: its page message failed time and again", { ...message });
  return "parked";
}

/** A shard's or discovery's message that failed time and again: logged, since the next tick or schedule sends a new one. */
export function parkRounds(body: unknown, log: Log): "logged" | "unreadable" {
  const message = readable(() => parseRoundsMessage(body), "rounds", log);
  if (message === null) return "unreadable";
  if ("discover" in message) {
    log("error", "roster discovery failed time and again; the next schedule tries anew", { pass: message.discover });
    return "logged";
  }
  log("error", "shard run failed time and again; the next tick tries anew", {
    shard: message.shard,
    tick: message.tick,
  });
  return "logged";
}

/** Null for a message that we never wrote: there is nobody to park, so it is logged and dropped. */
function readable<Message>(parse: () => Message, kind: string, log: Log): Message | null {
  try {
    return parse();
  } catch (error) {
    log("error", `poison ${kind} message dropped`, { why: error instanceof Error ? error.message : String(error) });
    return null;
  }
}
