import * as z from "zod";

/** Messages name shard, mailbox and round only: a link never leaves the table. */
const name = z.string().min(1).max(512);

const roundsShape = z.strictObject({
  shard: z.string().regex(/^[0-9a-f]{2}$/, { error: "must be two hex digits" }),
  tick: name,
  /** Set on a continuation: the run that stopped for time and goes on with this message. */
  run: name.optional(),
});

const pageShape = z.strictObject({
  mailbox: name,
  round: name,
  /** Pages committed when this was sent: a message for an older page has been overtaken. */
  page: z.int().nonnegative(),
});

/**
 * A round for one mailbox now, asked for by an operator. `generation`: a full round is wanted, newer than this one; when
 * somebody has opened it already, there is nothing left to do.
 */
const syncShape = z.strictObject({ mailbox: name, sync: name, generation: z.int().nonnegative().optional() });

/** A slow mailbox that a run has handed over, to be asked by itself: `alone` is the checkpoint's `aloneUntil`, epoch milliseconds. */
const aloneShape = z.strictObject({ mailbox: name, alone: z.int().nonnegative() });

/** Discovery of the roster: the pass that goes on, or the name of a new one. On the rounds queue. */
const discoverShape = z.strictObject({ discover: name });

/** Subscriptions that are to be delivered to. */
const deliverShape = z.strictObject({ subscriptions: z.array(name).min(1).max(100) });

/** The logs have grown: all subscriptions that are behind them are to be delivered to. `wake`: its name. */
const wakeShape = z.strictObject({ wake: name });

export type RoundsMessage = z.output<typeof roundsShape>;
export type PageMessage = z.output<typeof pageShape>;
export type SyncMessage = z.output<typeof syncShape>;
export type AloneMessage = z.output<typeof aloneShape>;
export type DeliverMessage = z.output<typeof deliverShape>;
export type WakeMessage = z.output<typeof wakeShape>;
export type DiscoverMessage = z.output<typeof discoverShape>;

/** A nudge for other programs: this mailbox has changed, and the feed can be read up to this sequence. */
export type Nudge = { readonly mailbox: string; readonly sequence: number };

/** Any message of the rounds queue. @throws Error in one line, without the message's values: they came from outside. */
export function parseRoundsMessage(message: unknown): RoundsMessage | DiscoverMessage {
  if (isNamed(message, "discover")) return parsed(discoverShape, message, "{discover}");
  return parsed(roundsShape, message, "{shard, tick}");
}

/** Any message of the pages queue. @throws Error in one line, without the message's values. */
export function parsePageMessage(message: unknown): PageMessage | SyncMessage | AloneMessage {
  if (isNamed(message, "alone")) return parsed(aloneShape, message, "{mailbox, alone}");
  if (isNamed(message, "sync")) return parsed(syncShape, message, "{mailbox, sync}");
  return parsed(pageShape, message, "{mailbox, round, page}");
}

/** Any message of the push queue. @throws Error in one line, without the message's values. */
export function parsePushMessage(message: unknown): DeliverMessage | WakeMessage {
  if (isNamed(message, "wake")) return parsed(wakeShape, message, "{wake}");
  return parsed(deliverShape, message, "{subscriptions}");
}

/**
 * What a message says: JSON, JSON in base64, or what the host has made of it already. Anything else stays as it came.
 * `host.json` says `messageEncoding: none`. By default the host takes base64 only: it moves any other message aside unseen,
 * to a poison queue whose own trigger cannot read it either, and nobody notices. Base64 is what earlier releases wrote.
 */
function readMessage(message: unknown): unknown {
  if (typeof message !== "string") return message;
  const compact = message.replaceAll(/[ \t\r\n]/g, "");
  const isBase64 = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact);
  try {
    return JSON.parse(isBase64 ? Buffer.from(compact, "base64").toString("utf8") : message);
  } catch {
    return message; // The shape refuses it: it becomes a poison message, which is logged and dropped.
  }
}

function isNamed(message: unknown, property: string): boolean {
  const read = readMessage(message);
  return typeof read === "object" && read !== null && Object.hasOwn(read, property);
}

function parsed<Shape extends z.ZodType>(shape: Shape, message: unknown, expected: string): z.output<Shape> {
  const result = shape.safeParse(readMessage(message));
  if (result.success) return result.data;
  const places = result.error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.code}`);
  throw new Error(
    `The queue message is not ${expected} (${places.join(", ")}). It was not written by calendar-mirror.`,
  );
}
