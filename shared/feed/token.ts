import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { ListPlace, Position } from "./position.js";
import type { CopyPlace, TenantPosition } from "./tenantPosition.js";

/**
 * Our choice: feed tokens have some 100 characters; those of a list also carry a calendar's id, mostly of 152 characters.
 * Those of the whole tenant carry a number for each shard: 2,000 characters at 256 of them.
 * @internal For tests.
 */
export const tokenCharsMax = 4_096;

/** A place in the delta feed of a mailbox, in one epoch of it. */
type FeedToken = Position & { readonly epoch: string };

/**
 * A place in the list of a mailbox, in one epoch of it. `query`: the text of what decides which calendars stand in the list, and
 * in which order; null for the plain list.
 */
type ListToken = ListPlace & { readonly epoch: string; readonly query: string | null };

/** The epoch of an opened token still has to be compared with the mailbox's present one. */
type OfOneEpoch = { isOfEpoch(epoch: string): boolean };

type Payload =
  | readonly ["f1", string, number, number]
  | readonly ["l2", string, number, string]
  | readonly ["l3", string, number, string, string]
  | readonly ["t1", string, CopyFields | null, readonly [number, number] | null]
  | readonly ["a1", ...CopyFields];
type CopyFields = readonly [number, string | null, string | null];

/** In the place of a mailbox's id, which is never empty: all mailboxes. */
const wholeTenant = "";

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
  /** Null: not ours, altered, of another mailbox, or not of the list by this query. `isOfEpoch`: whether it belongs to that epoch. */
  openList(mailboxId: string, text: string, query: string | null): (ListPlace & OfOneEpoch) | null;
  /** Seals a position of a reader of the whole tenant. */
  tenant(position: TenantPosition): string;
  /** Null: not ours, altered, or no such token. */
  openTenant(text: string): TenantPosition | null;
  /** Seals a place in the list of all calendars. */
  place(place: CopyPlace): string;
  /** Null: not ours, altered, or no such token. */
  openPlace(text: string): CopyPlace | null;
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
    list: (mailboxId, { epoch, sequence, after, query }) =>
      query === null
        ? write(mailboxId, ["l2", digest(epoch), sequence, after])
        : write(mailboxId, ["l3", digest(epoch), sequence, after, digest(query)]),
    openList: (mailboxId, text, query) => {
      const [kind, epoch, sequence, after, ofQuery] = read(mailboxId, text) ?? [];
      const isOfQuery = query === null ? kind === "l2" : kind === "l3" && ofQuery === digest(query);
      if (!isOfQuery || typeof sequence !== "number" || typeof after !== "string") return null;
      return { after, sequence, isOfEpoch: (other) => digest(other) === epoch };
    },
    tenant: ({ numbers, copy, walk }) =>
      write(wholeTenant, [
        "t1",
        packed(numbers),
        copy === null ? null : [copy.shard, copy.mailbox, copy.row],
        walk === null ? null : [walk.shard, walk.entries],
      ]),
    openTenant: (text) => {
      const fields = read(wholeTenant, text);
      if (fields?.[0] !== "t1") return null;
      const [, numbers, copy, walk] = fields as Extract<Payload, readonly ["t1", ...unknown[]]>;
      return {
        numbers: unpacked(numbers),
        copy: copy === null ? null : { shard: copy[0], mailbox: copy[1], row: copy[2] },
        walk: walk === null ? null : { shard: walk[0], entries: walk[1] },
      };
    },
    place: ({ shard, mailbox, row }) => write(wholeTenant, ["a1", shard, mailbox, row]),
    openPlace: (text) => {
      const fields = read(wholeTenant, text);
      if (fields?.[0] !== "a1") return null;
      const [, shard, mailbox, row] = fields as Extract<Payload, readonly ["a1", ...unknown[]]>;
      return { shard, mailbox, row };
    },
  };
}

/** Numbers in as few characters as they need: seven bits in a byte, the lowest first, and a set eighth where more follow. */
function packed(numbers: readonly number[]): string {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  return Buffer.from(bytes).toString("base64url");
}

function unpacked(text: string): readonly number[] {
  const numbers: number[] = [];
  let number = 0;
  let unit = 1;
  for (const byte of Buffer.from(text, "base64url")) {
    number += (byte & 127) * unit;
    unit *= 128;
    if (byte > 127) continue;
    numbers.push(number);
    [number, unit] = [0, 1];
  }
  return numbers;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}
