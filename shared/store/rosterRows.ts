import { mapAtOnce } from "../mapAtOnce.js";
import { foldedName } from "../sync/mailboxId.js";
import { type MailboxKind, mailboxKinds } from "../sync/mailboxKind.js";
import type { Checkpoint } from "../sync/types.js";
import { RowError, StorageError } from "../table/errors.js";
import { type Columns, type Condition, type Entity, type Table, tableLimits } from "../table/table.js";
import { checkpointColumns } from "./checkpointRow.js";
import { columnsOf, count, flag, idOf, label, oneOf, type RowTable, rowOf, text, time } from "./columns.js";
import { mailboxKey, rosterAfter, rosterKey, shardNames, shardOf } from "./keys.js";
import { bytesOf, commitEntries, type GroupLimits, sessionOf, type TransactionEntry } from "./transactionGroup.js";
import { createOrUpdate } from "./writeRow.js";

/** The source of a mailbox that somebody put on the roster by hand: discovery leaves it alone. */
export const manualSource = "manual";

/** Our choice: as many shards as a search of all of them asks. */
const shardsAtOnceMax = 16;

/** Why a mailbox is on the roster, in a row of its own: passes over the roster don't contend with its checkpoint. */
export type RosterRow = {
  readonly mailboxId: string;
  /** `manual`, `directory`, or `group:<object id>`. */
  readonly source: string;
  readonly state: "active" | "suspended";
  /** The full roster round that last found the user fit to be mirrored. */
  readonly generation: number;
  /** The step of discovery that wrote the row last: an older one finds itself overtaken. */
  readonly step: number;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly mailboxKind: MailboxKind;
  /** When Graph last said the kind, or that it knows no such mailbox; null: it has said neither. */
  readonly kindAskedMs: number | null;
  /** Whether sign-in was allowed then: an account that changes is asked about again. */
  readonly accountEnabled: boolean | null;
  /** Why it is suspended, or will be when the full roster round in hand has ended. */
  readonly leaveReason: string | null;
  readonly sinceMs: number | null;
  /** Of a suspended mailbox: when all its rows go. */
  readonly purgeAfterMs: number | null;
};

/** A roster row as stored, with the ETag that fences it. */
export type RosterHeld = { readonly row: RosterRow; readonly etag: string };

/** A roster row, with its mailbox's checkpoint where that moves too: both are written or none. A null ETag creates. */
export type RosterEntry = {
  readonly row: RosterRow;
  readonly etag: string | null;
  readonly checkpoint: { readonly next: Checkpoint; readonly etag: string | null } | null;
};

/** The roster's rows. All methods throw StorageError when the table gives no clear answer. */
export type RosterRows = {
  /** Null: no such row. A mailbox without one was put there by hand, before there were such rows. */
  read(mailboxId: string): Promise<RosterHeld | null>;
  /** The rows of a shard in key order, up to 1,000 at a time. Unreadable ones are reported and left out. */
  pages(shard: string): AsyncIterable<readonly RosterHeld[]>;
  /**
   * The rows that go by this userPrincipalName (`goesBy`). Two are enough to know that it is nobody's own: there may be more. One
   * query for each shard, of its roster's rows. Rows of an earlier release lack the folded column: they are found by the name
   * as it is given, and in lower case. @throws RowError where such a row cannot be read.
   */
  named(userPrincipalName: string): Promise<readonly RosterHeld[]>;
  /** Suspended mailboxes of a shard whose time to be purged has come. */
  purgeable(shard: string, nowMs: number): AsyncIterable<readonly string[]>;
  /**
   * Each entry is written whole or not at all, many in one transaction. `lostFence`: somebody else wrote one of its two
   * rows first; nothing of it counts.
   */
  commit(entries: readonly RosterEntry[]): Promise<readonly ("committed" | "lostFence")[]>;
};

type RosterParts = {
  readonly shards: number;
  readonly newCommitId: () => string;
  readonly limits: GroupLimits;
  readonly onUnreadable?: ((error: RowError) => void) | undefined;
};

/** The roster's rows in a table. Without `onUnreadable`, reading a row that cannot be read throws. */
export function rosterRows(table: Table, parts: RosterParts): RosterRows {
  const { shards, onUnreadable } = parts;
  const readable = (entity: Entity): readonly RosterHeld[] => {
    try {
      return [heldOf(entity)];
    } catch (error) {
      if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
      onUnreadable(error);
      return [];
    }
  };
  return {
    read: async (mailboxId) => {
      const entity = await table.get(shardOf(mailboxId, shards), rosterKey(mailboxId));
      return entity === null ? null : heldOf(entity);
    },
    pages: async function* (shard) {
      for await (const page of table.pages(shard, rosterAfter(null), tableLimits.entitiesPerPage)) {
        yield page.flatMap(readable);
      }
    },
    named: async (userPrincipalName) => {
      const found = await mapAtOnce(shardNames(shards), shardsAtOnceMax, (shard) =>
        namedIn(table, shard, userPrincipalName),
      );
      return found.flat();
    },
    purgeable: async function* (shard, nowMs) {
      const filter = { where: [{ column: "purgeAfter", earlierThanMs: nowMs }] };
      for await (const page of table.pages(shard, rosterAfter(null), tableLimits.entitiesPerPage, filter)) {
        const due = page.flatMap(readable).filter(({ row }) => row.purgeAfterMs !== null && row.purgeAfterMs < nowMs);
        yield due.map(({ row }) => row.mailboxId);
      }
    },
    commit: (entries) => commitRosterEntries(table, entries, parts),
  };
}

/**
 * Whether a mailbox may be asked for by this userPrincipalName, in any case of letters. Only while discovery follows it: nobody
 * tells us when the user of another one is renamed, and the name is given to somebody else.
 */
export function goesBy(name: string, { userPrincipalName, source, state }: RosterRow): boolean {
  if (userPrincipalName === null || source === manualSource || state !== "active") return false;
  return foldedName(userPrincipalName) === foldedName(name);
}

async function namedIn(table: Table, shard: string, name: string): Promise<readonly RosterHeld[]> {
  const folded = foldedName(name);
  const { userPrincipalName } = rosterTable;
  const asStored = [...new Set([name.toWellFormed(), folded])];
  const where: Condition = {
    anyOf: [
      { column: rosterCopies.foldedName.name, equals: folded },
      ...asStored.map((equals) => ({ column: userPrincipalName.name, equals })),
    ],
  };
  const found: RosterHeld[] = [];
  const pages = table.pages(shard, rosterAfter(null), tableLimits.entitiesPerPage, { where: [where] });
  for await (const page of pages) {
    found.push(...page.map(heldOf).filter(({ row }) => goesBy(name, row)));
    if (found.length > 1) break;
  }
  return found;
}

/** Shards at once, and the transactions of one shard one after the other. A shard that fails does not stop the others. */
async function commitRosterEntries(
  table: Table,
  entries: readonly RosterEntry[],
  { shards, newCommitId, limits }: RosterParts,
): Promise<readonly ("committed" | "lostFence")[]> {
  const sent = entries.map((entry) => {
    const shard = shardOf(entry.row.mailboxId, shards);
    return { shard, entry: transactionEntryOf(shard, entry) };
  });
  const commitShard = (shard: string) => {
    const ofShard = sent.filter((one) => one.shard === shard).map(({ entry }) => entry);
    return commitEntries(sessionOf(table, shard, { newCommitId }), ofShard, limits);
  };
  const ofEntries = [...new Set(sent.map(({ shard }) => shard))];
  const committed = await mapAtOnce(ofEntries, ofEntries.length, commitShard);
  const results = new Map(committed.flatMap((ofShard) => [...ofShard]));
  return sent.map(({ shard, entry }) => {
    const result = results.get(entry);
    if (result?.kind === "refused") throw new StorageError("write roster", shard, 400, result.code);
    return result?.kind ?? "lostFence";
  });
}

/** The roster row is the fence; a checkpoint beside it holds an ETag of its own. */
function transactionEntryOf(shard: string, { row, etag, checkpoint }: RosterEntry): TransactionEntry {
  const fence = createOrUpdate(rosterKey(row.mailboxId), rosterColumns(row), etag);
  const others =
    checkpoint === null
      ? []
      : [createOrUpdate(mailboxKey(row.mailboxId), checkpointColumns(checkpoint.next), checkpoint.etag)];
  const bytes = [fence, ...others].reduce((sum, action) => sum + bytesOf(shard, action), 0);
  return { parts: [{ fence, others, bytes }] };
}

/**
 * The roster row's columns. By a guess at the needed ones a pass would suspend who stays (I3), or leave who came back
 * suspended for ever (I7).
 * @internal For tests.
 */
export const rosterTable: RowTable<RosterRow> = {
  mailboxId: idOf(rosterKey).needed("mailboxId", "the full id, case kept"),
  userPrincipalName: label.nullable("userPrincipalName", "as the directory said last"),
  displayName: label.nullable("displayName", "as the directory said last"),
  mailboxKind: oneOf(...mailboxKinds).defaulted(
    "kind",
    "unknown",
    "`user`, `shared`, `room`, `equipment`, `linked`, `others`, `unknown`",
  ),
  kindAskedMs: time.nullable("kindAsked", "when Graph last said the kind"),
  accountEnabled: flag.nullable("accountEnabled", "whether sign-in was allowed then"),
  source: text.needed("source", "`manual`, `directory` or `group:<id>`"),
  state: oneOf("active", "suspended").needed("state", "`active` or `suspended`"),
  sinceMs: time.nullable("since", "since when"),
  leaveReason: text.nullable(
    "leaveReason",
    "why it leaves: `disabled`, `guest`, `noMail`, `softDeleted`, `deleted`, `vanished`, `kind`",
  ),
  purgeAfterMs: time.nullable("purgeAfter", "when all rows of a suspended mailbox go"),
  generation: count.needed("rosterGeneration", "the full roster round that last found it fit"),
  step: count.needed("step", "the step of discovery that wrote the row last"),
};

/**
 * A column that is written beside them, to find rows by.
 * @internal For tests.
 */
export const rosterCopies: RowTable<{ readonly foldedName: string | null }> = {
  foldedName: label.nullable(
    "userPrincipalNameFolded",
    "the userPrincipalName in lower case, to be found by; absent until a row of an earlier release is written again",
  ),
};

/**
 * A roster row as columns; their names are a public contract.
 * @internal For tests.
 */
export function rosterColumns(row: RosterRow): Columns {
  const { userPrincipalName } = row;
  const copies = { foldedName: userPrincipalName === null ? null : foldedName(userPrincipalName) };
  return columnsOf(rosterCopies, copies, columnsOf(rosterTable, row));
}

/** The row of a mailbox that is put on the roster, before anything else is known of it. */
export function newRosterRow(mailboxId: string, source: string): RosterRow {
  return {
    mailboxId,
    source,
    state: "active",
    generation: 0,
    step: 0,
    userPrincipalName: null,
    displayName: null,
    mailboxKind: "unknown",
    kindAskedMs: null,
    accountEnabled: null,
    leaveReason: null,
    sinceMs: null,
    purgeAfterMs: null,
  };
}

function heldOf(entity: Entity): RosterHeld {
  return { etag: entity.etag, row: rowOf(rosterTable, entity) };
}
