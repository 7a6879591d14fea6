import type { Brake } from "../sync/brake.js";
import { isTableGone, LayoutError, StorageError } from "../table/errors.js";
import type { Columns, Entity, Table } from "../table/table.js";
import { columnsOf, count, flag, kindOf, partOf, type RowTable, rowOf, text, time, unreadable } from "./columns.js";
import { metaPartition, metaRows } from "./keys.js";
import { createOrUpdate } from "./writeRow.js";

const layoutVersion = 1;

type Layout = { readonly version: number; readonly shards: number };

/**
 * The columns of the layout.
 * @internal For tests.
 */
export const layoutTable: RowTable<Layout> = {
  version: count.needed("version", "of the layout"),
  shards: count.needed("shards", "`SHARDS`; a start with another one is refused"),
};

/**
 * The column of the feed's key.
 * @internal For tests.
 */
export const feedKeyTable: RowTable<{ readonly key: string }> = {
  key: text.needed("key", "seals feed tokens: 32 bytes in base64. A secret"),
};

/** Each attempt loses only to a writer that succeeded; instances that change the brake at once are few. */
const brakeAttemptsMax = 10;

/** What this process knows of a table, by what stands for the table in its memory: the one given by the composition root. */
type Known = { shards: number | null; feedKey: Promise<Uint8Array> | null };
const knownTables = new WeakMap<Table, Known>();
/** Tables that this process has found in order before. */
const usedTables = new WeakSet<Table>();

/**
 * What was known of a table is looked at again when it is next needed: it was found missing, or some time has passed, in
 * which somebody may have deleted it, made another, or taken rows out of it.
 */
export function forgetTable(key: Table): void {
  knownTables.delete(key);
}

function knownOf(key: Table): Known {
  const known = knownTables.get(key) ?? { shards: null, feedKey: null };
  knownTables.set(key, known);
  return known;
}

export type OpenOptions = {
  readonly key: Table;
  readonly shards: number;
  /** Told when the table had no layout yet. `again`: this process had found one before, so all that was in it is gone. */
  readonly onLaidOut: (when: "atFirst" | "again") => void;
};

/**
 * Creates the table and its layout row where they are missing, and checks that they fit. Cheap while that is known.
 * @throws LayoutError when the table was laid out otherwise: another number of shards would not find its mailboxes.
 */
export async function openLayout(table: Table, { key, shards, onLaidOut }: OpenOptions): Promise<void> {
  if (knownOf(key).shards === shards) return;
  const stored = (await readLayout(table)) ?? (await createLayout(table, shards));
  if (stored === null) {
    onLaidOut(usedTables.has(key) ? "again" : "atFirst");
  } else {
    checkLayout(rowOf(layoutTable, stored), shards);
  }
  knownOf(key).shards = shards;
  usedTables.add(key);
}

/** Null: there is none, for the table is new. */
async function readLayout(table: Table): Promise<Entity | null> {
  try {
    return await table.get(metaPartition, metaRows.layout);
  } catch (error) {
    if (!isTableGone(error)) throw error;
    await table.createIfMissing();
    return null;
  }
}

/** Null: written as asked. Else the row that another instance wrote first. */
async function createLayout(table: Table, shards: number) {
  const columns = columnsOf(layoutTable, { version: layoutVersion, shards });
  const answer = await table.transact(metaPartition, [{ kind: "create", rowKey: metaRows.layout, columns }]);
  if (answer.kind === "done") return null;
  const stored = await table.get(metaPartition, metaRows.layout);
  if (stored === null) throw new StorageError("create layout", metaPartition, 400, answer.code);
  return stored;
}

function checkLayout(stored: Layout, shards: number): void {
  if (stored.version !== layoutVersion) {
    throw new LayoutError(
      `The table has layout version ${stored.version} and this release knows version ${layoutVersion}: ` +
        "run the release that wrote it, or set MIRROR_TABLE to a new name.",
    );
  }
  if (stored.shards !== shards) {
    throw new LayoutError(
      `The table was laid out with SHARDS=${stored.shards} and SHARDS is now ${shards}: ` +
        `set it back to ${stored.shards}, or set MIRROR_TABLE to a new name.`,
    );
  }
}

/** The application's brake as it stands; it may be over. Null: there was never one. */
export async function readBrake(table: Table): Promise<Brake | null> {
  return (await brakeRow(table))?.brake ?? null;
}

/**
 * Changes the brake under its ETag: of instances that do so at once, each sees what the one before it wrote.
 * @param change Null: it is to stay as it is.
 * @returns What was written; null where nothing was.
 */
export async function changeBrake(table: Table, change: (brake: Brake | null) => Brake | null): Promise<Brake | null> {
  for (let attempt = 0; attempt < brakeAttemptsMax; attempt++) {
    const stored = await brakeRow(table);
    const next = change(stored?.brake ?? null);
    if (next === null) return null;
    const action = createOrUpdate(metaRows.brake, brakeColumns(next), stored?.etag ?? null);
    const answer = await table.transact(metaPartition, [action]);
    if (answer.kind === "done") return next;
    if (answer.reason !== "conflict") throw new StorageError("change brake", metaPartition, 400, answer.code);
  }
  throw new StorageError("change brake", metaPartition, 412, `lost to others ${brakeAttemptsMax} times`);
}

const codes = kindOf<readonly string[]>({
  ...text,
  read: (entity, name) => codesOf(text.read(entity, name)),
  write: (columns, name, value) => text.write(columns, name, codesText(value)),
});

/** A brake of an unknown kind brakes all the same. */
const brakeKind = kindOf<Brake["kind"]>({
  ...text,
  read: (entity, name) => (text.read(entity, name) === "refused" ? "refused" : "throttled"),
});

/**
 * The brake's columns. `until` always stands: the first releases wrote and read it alone.
 * @internal For tests.
 */
export const brakeTable: RowTable<Omit<Brake, "ended" | "suspected">> = {
  untilMs: time.needed("until", "nobody asks before then"),
  kind: brakeKind.defaulted("kind", "throttled", "`throttled` or `refused`"),
  codes: codes.defaulted("codes", [], "why, the newest first, with blanks between"),
  sinceMs: time.nullable("since", "since when"),
  waitMs: count.nullable("waitMs", "the wait that `until` was set for"),
  needsProbe: flag.defaulted("needsProbe", false, "whether one mailbox is asked then, for all"),
  probes: count.defaulted("probes", 0, "probes so far"),
  probesStart: flag.defaulted("probesStart", false, "whether the next one asks a start, not a link"),
  unclearProbes: count.defaulted("unclearProbes", 0, "probes in a row that decided nothing"),
  probedBy: text.nullable("probedBy", "the shard of the last probe"),
  passedOn: text.nullable("passedOn", "the shard that left one to others last"),
};

/**
 * The columns of the last refusal that ended; without `endedAt` there was none.
 * @internal For tests.
 */
export const endedTable: RowTable<NonNullable<Brake["ended"]>> = {
  atMs: time.needed("endedAt", "when the last refusal ended"),
  codes: codes.defaulted("endedCodes", [], "its codes"),
};

/**
 * The columns of what small shards add up; without `suspectedSince` it is nothing.
 * @internal For tests.
 */
export const suspectedTable: RowTable<NonNullable<Brake["suspected"]>> = {
  sinceMs: time.needed("suspectedSince", "since when refusals of small shards are added up"),
  codes: codes.defaulted("suspectedCodes", [], "their codes"),
  count: count.defaulted("suspectedCount", 0, "how many"),
};

function brakeColumns(brake: Brake): Columns {
  return {
    ...columnsOf(brakeTable, brake),
    ...(brake.ended === null ? {} : columnsOf(endedTable, brake.ended)),
    ...(brake.suspected === null ? {} : columnsOf(suspectedTable, brake.suspected)),
  };
}

async function brakeRow(table: Table): Promise<{ readonly brake: Brake; readonly etag: string } | null> {
  const stored = await table.get(metaPartition, metaRows.brake);
  if (stored === null) return null;
  const ended = partOf(endedTable, stored, "atMs");
  const suspected = partOf(suspectedTable, stored, "sinceMs");
  return { brake: { ...rowOf(brakeTable, stored), ended, suspected }, etag: stored.etag };
}

function codesText(codes: readonly string[]): string {
  return codes.map((code) => code.replaceAll("%", "%25").replaceAll(" ", "%20")).join(" ");
}

function codesOf(text: string | null): readonly string[] {
  const written = (text ?? "").split(" ").filter((code) => code !== "");
  return written.map((code) => code.replaceAll("%20", " ").replaceAll("%25", "%"));
}

/**
 * The key that seals feed tokens: the same for all instances and for as long as the row stands. Without the row a new one
 * is written, and all tokens handed out before are refused.
 * @param draw Draws a key: 32 random bytes.
 * @internal For tests.
 */
export async function readFeedKey(table: Table, draw: () => Uint8Array): Promise<Uint8Array> {
  const stored = await table.get(metaPartition, metaRows.feedKey);
  if (stored !== null) return feedKeyOf(stored);
  const columns = columnsOf(feedKeyTable, { key: Buffer.from(draw()).toString("base64") });
  const answer = await table.transact(metaPartition, [{ kind: "create", rowKey: metaRows.feedKey, columns }]);
  if (answer.kind === "refused" && answer.reason !== "conflict") {
    throw new StorageError("create feed key", metaPartition, 400, answer.code);
  }
  // Read back even after a success: what counts is the row, whoever of many wrote it first.
  const written = await table.get(metaPartition, metaRows.feedKey);
  if (written === null) throw new StorageError("read feed key", metaPartition, 404, "ResourceNotFound");
  return feedKeyOf(written);
}

/** The same, read once for as long as the table is known. What could not be read is asked again. */
export function keptFeedKey(key: Table, draw: () => Uint8Array): Promise<Uint8Array> {
  const known = knownOf(key);
  known.feedKey ??= readFeedKey(key, draw).catch((error: unknown) => {
    forgetTable(key);
    throw error;
  });
  return known.feedKey;
}

function feedKeyOf(entity: Entity): Uint8Array {
  const key = Buffer.from(rowOf(feedKeyTable, entity).key, "base64");
  return key.length < 32 ? unreadable(entity, "key", "holds no key of 32 bytes") : key;
}
