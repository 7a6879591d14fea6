import { type ActionNote, actorKinds, operatorActions } from "../sync/operatorAction.js";
import { RowError, StorageError } from "../table/errors.js";
import { type Action, type Entity, type Table, tableLimits } from "../table/table.js";
import { columnsOf, commitIdColumn, count, label, oneOf, type RowTable, rowOf, text, time } from "./columns.js";
import { actionKey, actionsBefore, actionsPartition, actionsUpTo } from "./keys.js";

/** Which actions are read: from just after a row's key, null for the newest. */
export type ActionsAsk = { readonly after: string | null; readonly mailboxId: string | null; readonly top: number };

/** Newest first. `next`: the key to go on after; null: there are no more. */
export type ActionsPage = { readonly notes: readonly ActionNote[]; readonly next: string | null };

/** Our choice: bounds what stands in a row, whoever asked for what. */
const labelUnitsMax = 320;
/** Our choice: a page reads so many rows at most, however few of them are of the mailbox that is asked for. */
const rowsPerPageMax = 5_000;

/** An actor's two fields as columns of their own. */
type Row = Omit<ActionNote, "actor"> & {
  readonly actorKind: ActionNote["actor"]["kind"];
  readonly actor: string | null;
};

/**
 * The columns of an action. A row that cannot be read is left out: it decides nothing.
 * @internal For tests.
 */
export const actionTable: RowTable<Row> = {
  atMs: time.needed("at", "when it was done"),
  action: oneOf(...operatorActions).needed("action", "what was done"),
  actorKind: oneOf(...actorKinds).needed("actorKind", "`user`, `key` or `nobody`"),
  actor: label.nullable("actor", "the user's name, or the key's fingerprint"),
  mailboxId: text.nullable("mailboxId", "the mailbox that it was about"),
  subject: label.nullable("subject", "the reason of a release of many, or the id of a subscription"),
  count: count.nullable("count", "how many mailboxes were released"),
};

/** Adds a row. @param noteId Unique. @throws StorageError, and then it may be there all the same. */
export async function noteAction(table: Table, note: ActionNote, noteId: string): Promise<void> {
  const { actor, ...rest } = note;
  const row: Row = {
    ...rest,
    actorKind: actor.kind,
    actor: bounded(actor.name),
    subject: bounded(rest.subject),
  };
  const columns = { ...columnsOf(actionTable, row), [commitIdColumn]: noteId };
  const rowKey = actionKey(note.atMs, noteId);
  const answer = await table.transact(actionsPartition, [{ kind: "create", rowKey, columns }]);
  // A conflict is the echo of this very row: its key holds an id that nobody else has.
  if (answer.kind === "refused" && answer.reason !== "conflict") {
    throw new StorageError("note action", actionsPartition, 400, answer.code);
  }
}

/** A page of actions. Rows that cannot be read are reported and left out; without `onUnreadable` they throw. */
export async function readActions(
  table: Table,
  ask: ActionsAsk,
  onUnreadable: ((error: RowError) => void) | undefined,
): Promise<ActionsPage> {
  const notes: ActionNote[] = [];
  let read = 0;
  const range = actionsUpTo(ask.after);
  const pageSize =
    ask.mailboxId === null ? Math.min(ask.top + 1, tableLimits.entitiesPerPage) : tableLimits.entitiesPerPage;
  let last: string | null = null;
  for await (const page of table.pages(actionsPartition, range, pageSize)) {
    for (const entity of page) {
      if (notes.length === ask.top || read === rowsPerPageMax) return { notes, next: last };
      read += 1;
      last = entity.rowKey;
      const note = noteOf(entity, onUnreadable);
      if (note !== null && (ask.mailboxId === null || note.mailboxId === ask.mailboxId)) notes.push(note);
    }
  }
  return { notes, next: null };
}

/** Deletes actions that were done before then, the newest of them first. @returns How many. @throws StorageError */
export async function retireActions(table: Table, beforeMs: number, isTimeUp: () => boolean): Promise<number> {
  let retired = 0;
  const range = actionsBefore(beforeMs);
  for await (const page of table.pages(actionsPartition, range, tableLimits.operationsPerTransaction, {
    columns: [],
  })) {
    if (page.length === 0) continue;
    const deletes = page.map(({ rowKey }): Action => ({ kind: "delete", rowKey, etag: "*" }));
    const answer = await table.transact(actionsPartition, deletes);
    if (answer.kind === "refused" || isTimeUp()) return retired; // Another one deletes them as well, or the next run does.
    retired += deletes.length;
  }
  return retired;
}

function noteOf(entity: Entity, onUnreadable: ((error: RowError) => void) | undefined): ActionNote | null {
  try {
    const { actorKind, actor, ...rest } = rowOf(actionTable, entity);
    return { ...rest, actor: { kind: actorKind, name: actor } };
  } catch (error) {
    if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
    onUnreadable(error);
    return null; // The others go on (I10).
  }
}

function bounded(given: string | null): string | null {
  return given === null ? null : given.slice(0, labelUnitsMax);
}
