// Azurite looks for expired messages at each call to a queue, and has LokiJS remove what it found; it updates the
// messages that it hands out together. LokiJS (1.5.12) sorts all indexes anew after each such batch, also after an empty
// one: with a thousand nudges waiting, that is most of what Azurite (3.37) does. Changed one by one, rows keep their places.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** To be called before queues are opened. What is stored stays as Azurite has it, on disk too. */
export function changeOneByOne() {
  const { Collection } = createRequire(require.resolve("azurite/package.json"))("lokijs");
  const { update, removeBatch, removeBatchByPositions } = Collection.prototype;
  Collection.prototype.update = function (rows) {
    if (!Array.isArray(rows)) return update.call(this, rows);
    for (const row of rows) update.call(this, row);
  };
  Collection.prototype.removeBatch = function (rows) {
    if (rows.length > 0) removeBatch.call(this, rows);
  };
  Collection.prototype.removeBatchByPositions = function (positions) {
    if (positions.length === 1) this.remove(this.data[positions[0]]);
    else if (positions.length > 1) removeBatchByPositions.call(this, positions);
  };
}
