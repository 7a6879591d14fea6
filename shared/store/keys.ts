import { createHash } from "node:crypto";
import { type KeyRange, keyUnitsMax } from "../table/table.js";

/** Row key of the shard's own row, in each shard's partition. */
export const shardRowKey = "shard";

/** Row key of the shard's figures: beside its own row, which goes with every transaction and stays small. */
export const figuresRowKey = "figures";

/** The row of the change log with that number: digits, so that keys are in the order of numbers. */
export function logKey(number: number): string {
  return logPrefix + String(number).padStart(logDigits, "0");
}

/** The number of a row of the change log; null for any other row. */
export function logNumberOf(rowKey: string): number | null {
  const digits = rowKey.startsWith(logPrefix) ? rowKey.slice(logPrefix.length) : "";
  return digits.length === logDigits && /^\d+$/.test(digits) ? Number(digits) : null;
}

/** The rows of the change log from just after one number up to and including another; null for the end. */
export function logBetween(after: number, upTo: number | null): KeyRange {
  return { after: logKey(after), upTo: upTo === null ? "log}" : logKey(upTo) };
}

/** The partition that belongs to no shard, and its rows. */
export const metaPartition = "~meta";
export const metaRows = { layout: "layout", brake: "brake", directory: "directory", feedKey: "feedkey" } as const;

/** The partition of subscriptions, which belongs to no shard either. */
export const pushPartition = "~push";

/** The partition of what operators have done, which belongs to no shard either. */
export const actionsPartition = "~actions";

const mailboxPrefix = "mailbox|";
const logPrefix = "log|";
const logDigits = 20;

/** A mailbox's part of a key. Long enough for any real id, and the rest is left to the calendar's id. */
const mailboxUnitsMax = 240;

/**
 * The shard of a mailbox: first byte of the SHA-256 of its id, modulo the number of shards.
 * @param shards 1 to 256. @returns Two lower-case hex digits, the PartitionKey of all rows of the mailbox.
 */
export function shardOf(mailboxId: string, shards: number): string {
  if (!Number.isInteger(shards) || shards < 1 || shards > 256) {
    throw new RangeError(`The number of shards must be a whole number from 1 to 256, not ${shards}.`);
  }
  const first = createHash("sha256").update(mailboxId, "utf8").digest()[0] ?? 0;
  return shardName(first % shards);
}

/** All shards of a mirror, in key order. */
export function shardNames(shards: number): readonly string[] {
  return Array.from({ length: shards }, (_, index) => shardName(index));
}

function shardName(index: number): string {
  return index.toString(16).padStart(2, "0");
}

// `!` opens an escape and `|` separates the parts of a key, so neither may stand for itself.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the table forbids.
const unsafeUnits = /[/\\#?%|!'\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]|\p{Surrogate}/gu;

/**
 * An id as part of a key: `!` and four hex digits for each UTF-16 unit that the table or its protocol forbids or that
 * has caused trouble (`/ \ # ? %`, control characters, line separators, lone surrogates, non-characters; the apostrophe,
 * for Azurite takes `',` for the end of a key). All else stays, case included: ids are case-sensitive.
 * @see https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
 * @internal For tests.
 */
export function escapeKey(id: string): string {
  return id.replace(unsafeUnits, (unit) => `!${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const brokenEscape = /!(?![0-9a-f]{4})/;

/**
 * The id that `escapeKey` was given. @throws RangeError when the text is no whole escaped id.
 * @internal For tests.
 */
export function unescapeKey(escaped: string): string {
  if (brokenEscape.test(escaped)) throw new RangeError("A key part that ends in a hash holds no whole id.");
  return escaped.replace(/!([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Row key of a mailbox's checkpoint. */
export function mailboxKey(mailboxId: string): string {
  return mailboxPrefix + keyPart(mailboxId, mailboxUnitsMax);
}

/** The mailbox that a checkpoint's key names; null where it names none, as only a foreign hand writes it. */
export function mailboxOfKey(rowKey: string): string | null {
  const escaped = rowKey.slice(mailboxPrefix.length);
  if (!isMailboxKey(rowKey) || brokenEscape.test(escaped)) return null;
  const mailboxId = unescapeKey(escaped);
  return mailboxId !== "" && mailboxKey(mailboxId) === rowKey ? mailboxId : null;
}

/** Whether a row is a mailbox's checkpoint. */
export function isMailboxKey(rowKey: string): boolean {
  return rowKey.startsWith(mailboxPrefix) && !isDepartureKey(rowKey);
}

/** Row key of the departure of a mailbox: among the checkpoints, just behind its own, so that a run meets it. */
export function departureKey(mailboxId: string, epoch: string): string {
  return `${mailboxKey(mailboxId)}|${keyPart(epoch, mailboxUnitsMax)}`;
}

/** Whether a row among the checkpoints is a departure. */
export function isDepartureKey(rowKey: string): boolean {
  return rowKey.startsWith(mailboxPrefix) && rowKey.includes("|", mailboxPrefix.length);
}

/** Row key of what the roster knows of a mailbox. */
export function rosterKey(mailboxId: string): string {
  return `roster|${keyPart(mailboxId, mailboxUnitsMax)}`;
}

/** The roster's rows of a shard, from just after one mailbox; null for all. */
export function rosterAfter(mailboxId: string | null): KeyRange {
  return { after: mailboxId === null ? "roster|" : rosterKey(mailboxId), upTo: "roster}" };
}

/** Row key of a subscription. */
export function subscriptionKey(subscriptionId: string): string {
  return `subscription|${keyPart(subscriptionId, mailboxUnitsMax)}`;
}

/** All subscriptions. */
export const allSubscriptions: KeyRange = { after: "subscription|", upTo: "subscription}" };

/** The last millisecond that a table's DateTime can hold: keys count back from it, so that the newest action comes first. */
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Row key of an action. @param noteId Unique, of letters, digits and hyphens. */
export function actionKey(atMs: number, noteId: string): string {
  return `${actionTimeOf(atMs)}|${keyPart(noteId, mailboxUnitsMax)}`;
}

/** What the keys of all actions of a millisecond begin with. */
function actionTimeOf(atMs: number): string {
  return `action|${String(lastMs - Math.min(Math.max(Math.floor(atMs), 0), lastMs)).padStart(15, "0")}`;
}

/** Whether a text is the key of an action, as a cursor may hold it. */
export function isActionKey(text: string): boolean {
  return /^action\|\d{15}\|[\w-]{1,64}$/.test(text);
}

/** Actions that were done before then. */
export function actionsBefore(beforeMs: number): KeyRange {
  return actionsUpTo(`${actionTimeOf(beforeMs)}}`); // `}` follows `|`.
}

/** Actions from just after a key, null for the newest, to the oldest. */
export function actionsUpTo(after: string | null): KeyRange {
  return { after: after ?? "action|", upTo: "action}" };
}

/** Row key of a calendar, or of its tombstone. */
export function calendarKey(mailboxId: string, calendarId: string): string {
  const prefix = calendarPrefix(mailboxId);
  return prefix + keyPart(calendarId, keyUnitsMax - prefix.length);
}

/** All calendars of a mailbox, tombstones included. */
export function calendarsOf(mailboxId: string): KeyRange {
  const prefix = calendarPrefix(mailboxId);
  return { after: prefix, upTo: `${prefix.slice(0, -1)}}` }; // `}` follows `|`, which no part of a key holds.
}

/** What the keys of all calendars of a mailbox begin with: where `calendarsOf` begins. @param rowKey Of one of them. */
export function calendarPrefixOf(rowKey: string): string {
  return rowKey.slice(0, rowKey.indexOf("|", "calendar|".length) + 1);
}

/** All calendars of a shard, tombstones included. */
export const calendarsOfShard: KeyRange = { after: "calendar|", upTo: "calendar}" };

/** The calendars of a shard, tombstones included, from just after those of one mailbox; null for all. */
export function calendarsAfter(mailboxId: string | null): KeyRange {
  return mailboxId === null ? calendarsOfShard : { ...calendarsOfShard, after: calendarsOf(mailboxId).upTo };
}

/** The checkpoints of a shard, from just after one mailbox up to and including another; null leaves an end open. */
export function mailboxesBetween(after: string | null, upTo: string | null): KeyRange {
  return {
    after: after === null ? mailboxPrefix : mailboxKey(after),
    upTo: upTo === null ? "mailbox}" : mailboxKey(upTo),
  };
}

function calendarPrefix(mailboxId: string): string {
  return `calendar|${keyPart(mailboxId, mailboxUnitsMax)}|`;
}

/** The escaped id, or its start and the hash of the whole where it is too long. `h` is no hex digit: never an escape. */
function keyPart(id: string, unitsMax: number): string {
  if (id === "") throw new RangeError("An id in a key must not be empty.");
  const escaped = escapeKey(id);
  if (escaped.length <= unitsMax) return escaped;
  const ending = `!h${createHash("sha256").update(escaped, "utf8").digest("hex")}`;
  let start = "";
  for (const character of id) {
    const next = start + escapeKey(character); // Whole characters: half a surrogate pair would be no text.
    if (next.length > unitsMax - ending.length) break;
    start = next;
  }
  return start + ending;
}
