import { StorageError } from "./errors.js";
import { actionBytes, measureEntity } from "./measure.js";
import {
  type Action,
  type Columns,
  type Condition,
  type Entity,
  type KeyRange,
  keyUnitsMax,
  type QueryOptions,
  type Table,
  type Transacted,
  tableLimits,
} from "./table.js";

/** The requests that the table makes; `page` is one page of a query. */
type TableCall = "createIfMissing" | "get" | "page" | "transact";

/**
 * When and about what `onCall` is called. `before`: nothing has happened yet, and a throw keeps it from happening. `after`:
 * it is done, and a throw is a lost answer. Throw StorageError for a table that gives no answer; anything else is the end of
 * the run and is not retried. Both are awaited, so that a simulation can let others run in between.
 */
export type TableCallDetail = {
  readonly moment: "before" | "after";
  readonly partitionKey: string;
  readonly rowKeys: readonly string[];
};

/** How the fake behaves where the service is free to choose, and where a test steps in. */
export type MemoryTableOptions = {
  /** Fewer entities per page than the caller asks for, as the service may answer. */
  readonly pageSize?: number;
  /** Answers an empty page with a continuation before each page that holds something. */
  readonly emptyPages?: boolean;
  readonly onCall?: (name: TableCall, detail: TableCallDetail) => Promise<void> | void;
};

/** The fake, with a view of everything in it for checkers. */
export type MemoryTable = Table & { entities(): readonly Entity[] };

type Partition = { readonly rows: Map<string, Entity>; sorted: readonly string[] | null };

/** An in-memory fake of Azure Table Storage that passes the same contract. For tests, simulations and benches. */
export function memoryTable(options: MemoryTableOptions = {}): MemoryTable {
  const partitions = new Map<string, Partition>();
  let exists = false;
  let versions = 0;

  const partitionOf = (partitionKey: string, operation: string): Partition => {
    if (!exists) throw new StorageError(operation, partitionKey, 404, "TableNotFound");
    const found = partitions.get(partitionKey) ?? { rows: new Map<string, Entity>(), sorted: null };
    partitions.set(partitionKey, found);
    return found;
  };
  const called = async <T>(name: TableCall, partitionKey: string, rowKeys: readonly string[], run: () => T) => {
    await options.onCall?.(name, { moment: "before", partitionKey, rowKeys });
    const result = run();
    await options.onCall?.(name, { moment: "after", partitionKey, rowKeys });
    return result;
  };
  async function* pages(
    partitionKey: string,
    range: KeyRange,
    pageSize: number,
    query: QueryOptions = {},
  ): AsyncIterable<readonly Entity[]> {
    const size = Math.min(pageSize, options.pageSize ?? pageSize, tableLimits.entitiesPerPage);
    let { after } = range;
    for (;;) {
      if (options.emptyPages === true) yield await called("page", partitionKey, [], () => []);
      const from = after;
      const page = await called("page", partitionKey, [], () => {
        return pageOf(partitionOf(partitionKey, "query"), { after: from, upTo: range.upTo }, size, query);
      });
      yield page.entities;
      if (page.next === null) return;
      after = page.next;
    }
  }

  return {
    createIfMissing: () =>
      called("createIfMissing", "", [], () => {
        exists = true;
      }),
    get: (partitionKey, rowKey, columns) =>
      called("get", partitionKey, [rowKey], () => {
        const entity = partitionOf(partitionKey, "get").rows.get(rowKey) ?? null;
        return entity === null || columns === undefined ? entity : withColumns(entity, columns);
      }),
    pages,
    transact: (partitionKey, actions) => {
      const rowKeys = actions.map(({ rowKey }) => rowKey);
      return called("transact", partitionKey, rowKeys, () => {
        const partition = partitionOf(partitionKey, "transaction");
        return apply(partition, partitionKey, actions, () => {
          versions += 1;
          return `W/"${versions}"`;
        });
      });
    },
    entities: () => [...partitions.values()].flatMap(({ rows }) => [...rows.values()]),
  };
}

function pageOf(partition: Partition, { after, upTo }: KeyRange, size: number, query: QueryOptions) {
  partition.sorted ??= [...partition.rows.keys()].sort(); // By UTF-16 units, as the service does.
  const keys = partition.sorted;
  let start = 0;
  for (let end = keys.length; start < end; ) {
    const middle = (start + end) >>> 1;
    if ((keys[middle] ?? "") > after) end = middle;
    else start = middle + 1;
  }
  const within = keys.slice(start, start + size + 1).filter((key) => key <= upTo);
  const read = within.slice(0, size).flatMap((key) => partition.rows.get(key) ?? []);
  const { where = [], columns } = query;
  const found = where.length === 0 ? read : read.filter((entity) => where.every((one) => isMet(entity, one)));
  const entities = columns === undefined ? found : found.map((entity) => withColumns(entity, columns));
  return { entities, next: within.length > size ? (within[size - 1] ?? null) : null };
}

function isMet(entity: Entity, condition: Condition): boolean {
  if ("anyOf" in condition) return condition.anyOf.some((one) => isMet(entity, one));
  const { columns } = entity;
  const value = Object.hasOwn(columns, condition.column) ? columns[condition.column] : undefined;
  if ("equals" in condition) return value === condition.equals;
  return value instanceof Date && value.getTime() < condition.earlierThanMs;
}

function withColumns(entity: Entity, names: readonly string[]): Entity {
  const columns = Object.fromEntries(Object.entries(entity.columns).filter(([name]) => names.includes(name)));
  return { ...entity, columns };
}

/** Checks all actions against the partition as it is; only when none is refused are they applied, all at once. */
function apply(
  partition: Partition,
  partitionKey: string,
  actions: readonly Action[],
  newEtag: () => string,
): Transacted {
  if (actions.length === 0) throw new RangeError("A transaction holds at least one action.");
  const refusal = refusalOfAll(partitionKey, actions) ?? refusalOfOne(partition, partitionKey, actions);
  if (refusal !== null) return refusal;
  const etags = actions.map((action) => {
    if (action.kind === "delete") {
      partition.rows.delete(action.rowKey);
      partition.sorted = null;
      return "";
    }
    const etag = newEtag();
    if (!partition.rows.has(action.rowKey)) partition.sorted = null;
    const columns: Columns = Object.freeze(columnsAfter(partition.rows.get(action.rowKey), action));
    partition.rows.set(action.rowKey, { partitionKey, rowKey: action.rowKey, etag, columns });
    return etag;
  });
  return { kind: "done", etags };
}

function refusalOfAll(partitionKey: string, actions: readonly Action[]): Transacted | null {
  if (actions.length > tableLimits.operationsPerTransaction) return refused(null, "invalid", "InvalidInput");
  const bytes = actions.reduce((sum, action) => sum + actionBytes(partitionKey, action), 0);
  if (bytes > tableLimits.bodyBytes) return refused(null, "tooLarge", "RequestBodyTooLarge");
  const seen = new Set<string>();
  for (const [index, { rowKey }] of actions.entries()) {
    if (seen.has(rowKey)) return refused(index, "invalid", "InvalidDuplicateRow");
    seen.add(rowKey);
  }
  return null;
}

function refusalOfOne(partition: Partition, partitionKey: string, actions: readonly Action[]): Transacted | null {
  for (const [index, action] of actions.entries()) {
    const stored = partition.rows.get(action.rowKey);
    const code = shapeFault(partitionKey, action, stored);
    if (code !== null) return refused(index, code === "InvalidInput" ? "invalid" : "tooLarge", code);
    const conflict = conflictOf(stored, action);
    if (conflict !== null) return refused(index, "conflict", conflict);
  }
  return null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the table forbids.
const forbiddenInKeys = /[/\\#?\u0000-\u001f\u007f-\u009f]/;

type Writing = Exclude<Action, { readonly kind: "delete" }>;

function columnsAfter(stored: Entity | undefined, action: Writing): Columns {
  return action.kind === "merge" ? { ...stored?.columns, ...action.columns } : { ...action.columns };
}

function shapeFault(partitionKey: string, action: Action, stored: Entity | undefined): string | null {
  for (const key of [partitionKey, action.rowKey]) {
    if (key.length > keyUnitsMax || forbiddenInKeys.test(key)) return "InvalidInput";
  }
  if (action.kind === "delete") return null;
  const values = Object.values(action.columns);
  const isTooLong = values.some((value) => typeof value === "string" && value.length > tableLimits.unitsPerString);
  if (isTooLong) return "PropertyValueTooLarge";
  const { bytes, properties } = measureEntity(partitionKey, action.rowKey, columnsAfter(stored, action));
  if (properties > tableLimits.propertiesPerEntity) return "TooManyProperties";
  return bytes > tableLimits.entityBytes ? "EntityTooLarge" : null;
}

function conflictOf(stored: Entity | undefined, action: Action): string | null {
  if (action.kind === "upsert") return null;
  if (action.kind === "create") return stored === undefined ? null : "EntityAlreadyExists";
  if (stored === undefined) return "ResourceNotFound";
  return action.etag === "*" || action.etag === stored.etag ? null : "UpdateConditionNotSatisfied";
}

function refused(index: number | null, reason: "conflict" | "tooLarge" | "invalid", code: string): Transacted {
  return { kind: "refused", index, reason, code };
}
