/** Table service: 1 KiB per key, which is 512 UTF-16 units; Azurite refuses longer ones. */
export const keyUnitsMax = 512;

/** Rows of one partition from just after `after` up to and including `upTo`, in key order. */
export type KeyRange = { readonly after: string; readonly upTo: string };

/** What a column holds. An absent column is how the table says null. `bigint` is Int64, `Date` is DateTime. */
export type ColumnValue = string | number | bigint | boolean | Date;
/** An entity's own properties by name, without its keys and system properties. */
export type Columns = Readonly<Record<string, ColumnValue>>;

/** A stored row. `etag` changes with every write. */
export type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly etag: string;
  readonly columns: Columns;
};

/**
 * One operation of a transaction. `update` and `upsert` replace the whole entity; `merge` changes the columns that it
 * names and leaves the others. The ETag `*` stands for any state.
 */
export type Action =
  | { readonly kind: "create"; readonly rowKey: string; readonly columns: Columns }
  | { readonly kind: "upsert"; readonly rowKey: string; readonly columns: Columns }
  | { readonly kind: "update" | "merge"; readonly rowKey: string; readonly columns: Columns; readonly etag: string }
  | { readonly kind: "delete"; readonly rowKey: string; readonly etag: string };

/**
 * What the service answered to a transaction. `etags`: one for each action, empty for a delete. `index`: the position of
 * the action at fault, null when the service did not say. `conflict`: the entity is not in the state that the action expects.
 */
export type Transacted =
  | { readonly kind: "done"; readonly etags: readonly string[] }
  | {
      readonly kind: "refused";
      readonly index: number | null;
      readonly reason: "conflict" | "tooLarge" | "invalid";
      readonly code: string;
    };

/**
 * What an entity's own column must hold for a query to return it; never true without that column. `earlierThanMs`: a
 * DateTime before that time, epoch milliseconds. `equals`: just that text, case included, or that Boolean. `anyOf`: one of
 * them suffices.
 */
export type Condition =
  | { readonly column: string; readonly earlierThanMs: number }
  | { readonly column: string; readonly equals: string | boolean }
  | { readonly anyOf: readonly [Condition, ...Condition[]] };

/** What a query returns of a range. */
export type QueryOptions = {
  /** All of them must hold. Applied by the service, which reads past all other entities. */
  readonly where?: readonly Condition[];
  /** The only columns that are returned, where they are there; all without it. Such entities have no ETag to rely on. */
  readonly columns?: readonly string[];
};

/** One table, with the semantics of Azure Table Storage. All methods throw StorageError when there is no clear answer. */
export type Table = {
  createIfMissing(): Promise<void>;
  /**
   * Null: there is no such entity. A missing table throws.
   * @param columns The only columns that are returned, where they are there; all without it. Such an entity has no ETag to rely on.
   */
  get(partitionKey: string, rowKey: string, columns?: readonly string[]): Promise<Entity | null>;
  /**
   * Entities in key order, one request per page. An empty page is normal and does not mean the end.
   */
  pages(
    partitionKey: string,
    range: KeyRange,
    pageSize: number,
    options?: QueryOptions,
  ): AsyncIterable<readonly Entity[]>;
  /**
   * All or nothing, in one partition. After a throw it may have been applied or not. A conflict may be the echo of an own
   * success whose answer was lost and that was sent again, so callers compare what is stored.
   */
  transact(partitionKey: string, actions: readonly Action[]): Promise<Transacted>;
};

/**
 * Limits of the table service.
 * @see https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
 * @see https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
 */
export const tableLimits = {
  operationsPerTransaction: 100,
  bodyBytes: 4 * 1024 * 1024,
  entityBytes: 1024 * 1024,
  propertiesPerEntity: 252, // Own ones, without PartitionKey, RowKey and Timestamp.
  unitsPerString: 32_768,
  entitiesPerPage: 1_000,
} as const;
