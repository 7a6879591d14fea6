// Azurite (3.37) keeps its databases by LokiJS (1.5.12), which saves them every 5 s and at their end. An end in the midst of a
// save is told as done at once, for nothing has changed since that save began. Who then ends the process, as we do, loses
// what it was to write, though it was answered long ago.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** To be called before anything is opened: an end waits for the save that is under way. */
export function finishSaves() {
  const Loki = createRequire(require.resolve("azurite/package.json"))("lokijs");
  const { close } = Loki.prototype;
  Loki.prototype.close = function (callback) {
    this.throttledSaveDrain(() => close.call(this, callback));
  };
}
