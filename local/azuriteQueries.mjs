// Makes Azurite's table queries find by its own indexes. As it stands (3.35, 3.37) it looks at every row of the table for
// each query page, and at every row of the partition for each point read, so that a hundred thousand mailboxes take hours.
// What the indexes find is a superset: Azurite's own filter and order still decide.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const range = /^PartitionKey eq '((?:[^']|'')*)' and RowKey gt '((?:[^']|'')*)' and RowKey le '((?:[^']|'')*)'/;
const plain = (quoted) => quoted.replaceAll("''", "'");

/** What to find first for a filter of ours; null for any other filter. */
function foundFirst(filter) {
  const [whole, partition, after, upTo] = range.exec(filter ?? "") ?? [];
  if (whole === undefined) return null;
  const [from, to] = [plain(after), plain(upTo)];
  // The rows of one mailbox: few in all partitions together. Keys that look like numbers are ordered otherwise there.
  const isNarrow = /^[a-z]+\|.{8}/.test(from) && from.slice(0, 16) === to.slice(0, 16);
  return isNarrow ? { RowKey: { $between: [from, to] } } : { PartitionKey: plain(partition) };
}

export function findByIndex() {
  const { default: Store } = require("azurite/dist/src/table/persistence/LokiTableMetadataStore");
  const { getEntityCollection, queryTableEntities } = Store.prototype;
  if (getEntityCollection === undefined || queryTableEntities === undefined) return; // Another Azurite: slow, but right.

  Store.prototype.getEntityCollection = function (...args) {
    const collection = getEntityCollection.apply(this, args);
    if (Object.hasOwn(collection, "findOne")) return collection;
    const { findOne } = collection;
    collection.findOne = ({ RowKey, ...others }) =>
      findOne.call(collection, RowKey === undefined ? others : { RowKey, ...others });
    return collection;
  };

  Store.prototype.queryTableEntities = function (context, account, table, options, ...next) {
    const first = foundFirst(options.filter);
    if (first === null) return queryTableEntities.call(this, context, account, table, options, ...next);
    const collection = this.getEntityCollection(account, table, context);
    const { chain } = collection;
    collection.chain = () => chain.call(collection).find(first);
    try {
      return queryTableEntities.call(this, context, account, table, options, ...next); // Asks before it first waits.
    } finally {
      delete collection.chain;
    }
  };
}
