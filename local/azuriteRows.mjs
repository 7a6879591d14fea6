// Keeps the rows of Azurite's in-memory tables by partition and key. As it stands (3.37) each write shifts arrays as long
// as the table, and each query looks at every row there is: with 20,000 rows a query takes three times the processor time
// that it takes here, a merge of a row too, and both grow with the table. What is found here is a superset in no particular order: Azurite's own
// filter, order and paging still decide.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const ofPartition =
  /^PartitionKey eq '((?:[^']|'')*)'(?: and RowKey gt '((?:[^']|'')*)' and RowKey le '((?:[^']|'')*)')?/;
const plain = (quoted) => quoted?.replaceAll("''", "'");

/** The rows of one partition, and its keys in order whenever somebody asks for a range. */
class Partition {
  rows = new Map();
  #keys = null;

  set(key, row) {
    if (!this.rows.has(key)) this.#keys = null;
    this.rows.set(key, row);
  }

  delete(key) {
    if (this.rows.delete(key)) this.#keys = null;
  }

  /** Rows with a key after `from`, up to `to`, and not before `next`, where the page begins. */
  between(from, to, next) {
    this.#keys ??= [...this.rows.keys()].sort(); // By UTF-16 unit, as Azurite compares.
    const found = [];
    for (let index = firstAfter(this.#keys, from); index < this.#keys.length && this.#keys[index] <= to; index++) {
      if (this.#keys[index] >= next) found.push(this.rows.get(this.#keys[index]));
    }
    return found;
  }
}

/** Where the keys begin that are greater than this one. */
function firstAfter(keys, key) {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] > key) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Of a LokiJS result set what Azurite's query uses. */
class Found {
  constructor(rows) {
    this.rows = rows;
  }
  where = (isMeant) => new Found(this.rows.filter(isMeant));
  sort = (compare) => new Found([...this.rows].sort(compare));
  limit = (count) => new Found(this.rows.slice(0, count));
  data = () => this.rows;
}

/** Gives a LokiJS collection of entities a store of our own. */
function takeOver(collection) {
  const partitions = new Map();
  let narrowed = null;
  const insert = (row) => {
    const partition = partitions.get(row.PartitionKey) ?? new Partition();
    partitions.set(row.PartitionKey, partition);
    partition.set(row.RowKey, row);
    return row;
  };
  Object.assign(collection, {
    insert,
    update: insert,
    remove: ({ PartitionKey, RowKey }) => partitions.get(PartitionKey)?.delete(RowKey),
    findOne: ({ PartitionKey, RowKey }) => partitions.get(PartitionKey)?.rows.get(RowKey) ?? null,
    chain: () => new Found(narrowed ?? [...partitions.values()].flatMap(({ rows }) => [...rows.values()])),
    /** Runs a query over the rows that its filter can mean at all. It asks for them before it first waits. */
    narrowedTo: (filter, next, query) => {
      const [whole, partitionKey, after, upTo] = ofPartition.exec(filter ?? "") ?? [];
      const partition = whole === undefined ? undefined : partitions.get(plain(partitionKey));
      if (whole === undefined || /\bor\b/i.test(filter)) narrowed = null;
      else if (partition === undefined) narrowed = [];
      else if (after === undefined) narrowed = [...partition.rows.values()];
      else narrowed = partition.between(plain(after), plain(upTo), next ?? "");
      try {
        return query();
      } finally {
        narrowed = null;
      }
    },
  });
}

/** To be called before tables are opened, and only where nothing is kept on disk: LokiJS writes its own rows there. */
export function keepRowsByKey() {
  const { default: Store } = require("azurite/dist/src/table/persistence/LokiTableMetadataStore");
  const { createCollectionForTable, queryTableEntities } = Store.prototype;
  Store.prototype.createCollectionForTable = function (table) {
    createCollectionForTable.call(this, table);
    takeOver(this.db.getCollection(this.getTableCollectionName(table.account, table.table)));
  };
  Store.prototype.queryTableEntities = function (context, account, table, options, ...page) {
    const collection = this.getEntityCollection(account, table, context);
    const query = () => queryTableEntities.call(this, context, account, table, options, ...page);
    return collection.narrowedTo(options.filter, this.decodeContinuationHeader(page[1]), query);
  };
}
