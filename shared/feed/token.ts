import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { ListPlace, Position } from "./position.js";

/**
 * Our choice: feed tokens have some 100 characters; those of a list also carry a calendar's id, mostly of 152 characters.
 * @internal For tests.
 */
export const tokenCharsMax = 4_096;

/** A place in the delta feed of a mailbox, in one epoch of it. */
type FeedToken = Position & { readonly epoch: string };

/** A place in the list of a mailbox, in one epoch of it. */
type ListToken = ListPlace & { readonly epoch: string };

/** The epoch of an opened token still has to be compared with the mailbox's present one. */
type OfOneEpoch = { isOfEpoch(epoch: string): boolean };

type Payload = readonly ["f1", string, number, number] | readonly ["l2", string, number, string];

/**
 * Tokens that only we can make: `payload.seal` in base64url, the seal an HMAC-SHA256 over mailbox and payload. They hold
 * a reader's place and nothing secret, so they are sealed but not encrypted.
 */
export type Tokens = {
  /** Seals a place in the delta feed. */
  feed(mailboxId: string, token: FeedToken): string;
  /** Null: not ours, altered, of another mailbox, or no feed token. `isOfEpoch`: whether it belongs to that epoch. */
  openFeed(mailboxId: string, text: string): (Position & OfOneEpoch) | null;
  /** Seals a place in the list. */
  list(mailboxId: string, token: ListToken): string;
  /** Null: not ours, altered, of another mailbox, or no list token. `isOfEpoch`: whether it belongs to that epoch. */
  openList(mailboxId: string, text: string): (ListPlace & OfOneEpoch) | null;
};

/** Makes and opens tokens. @param key 32 random bytes or more, the same for all instances. */
export function createTokens(key: Uint8Array): Tokens {
  const sealOf = (mailboxId: string, payload: string): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([mailboxId, payload]))
      .digest();
  const write = (mailboxId: string, fields: Payload): string => {
    const payload = Buffer.from(JSON.stringify(fields)).toString("base64url");
    return `${payload}.${sealOf(mailboxId, payload).toString("base64url")}`;
  };
  const read = (mailboxId: string, text: string): readonly unknown[] | null => {
    if (text.length > tokenCharsMax) return null;
    const [, payload, seal] = /^([\w-]+)\.([\w-]{43})$/.exec(text) ?? [];
    if (payload === undefined || seal === undefined) return null;
    // Bytes are compared, not texts: the last character must be the one that we write, else two texts would fit.
    const given = Buffer.from(seal, "base64url");
    if (given.toString("base64url") !== seal || !timingSafeEqual(given, sealOf(mailboxId, payload))) return null;
    return JSON.parse(Buffer.from(payload, "base64url").toString()) as readonly unknown[]; // Sealed, hence ours.
  };
  return {
    feed: (mailboxId, { epoch, position, start }) => write(mailboxId, ["f1", digest(epoch), position, start]),
    openFeed: (mailboxId, text) => {
      const [kind, epoch, position, start] = read(mailboxId, text) ?? [];
      if (kind !== "f1" || typeof position !== "number" || typeof start !== "number") return null;
      return { position, start, isOfEpoch: (other) => digest(other) === epoch };
    },
    list: (mailboxId, { epoch, sequence, after }) => write(mailboxId, ["l2", digest(epoch), sequence, after]),
    openList: (mailboxId, text) => {
      const [kind, epoch, sequence, after] = read(mailboxId, text) ?? [];
      if (kind !== "l2" || typeof sequence !== "number" || typeof after !== "string") return null;
      return { after, sequence, isOfEpoch: (other) => digest(other) === epoch };
    },
  };
}

function digest(epoch: string): string {
  return createHash("sha256").update(epoch).digest("base64url").slice(0, 12);
}
