#!/usr/bin/env bash
# LokiJS, in which Azurite keeps tables and queues on disk, tells the end of close() while a save is still being written. One would
# guess that what close() has called back for is on disk, since it makes a last save itself. But that is for changes since the last save
# began alone: where that one has all of them, close() waits for nothing. A program that embeds Azurite's servers, awaits their close(), and exits,
# loses up to five seconds of answered writes, now and then. throttledSaveDrain() before close() waits for what is under way.
# Needs Node.js 20 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.cjs <<'PROGRAM'
const { existsSync } = require("node:fs");
const Loki = require("lokijs");

const isOnDisk = (file, prepare) =>
  new Promise((resolve) => {
    const database = new Loki(file, { autosave: true, autosaveInterval: 5000 });
    database.addCollection("queues").insert({ name: "orders" });
    prepare(database, () => database.close(() => resolve(existsSync(file))));
  });
(async () => {
  console.log("closed after a change:", await isOnDisk("changed.json", (_, close) => close()));
  const duringSave = (database, close) => {
    database.saveDatabase(); // What autosave calls every five seconds.
    close();
  };
  console.log("closed during a save:", await isOnDisk("saving.json", duringSave));
  const drained = (database, close) => {
    database.saveDatabase();
    database.throttledSaveDrain(close);
  };
  console.log("closed during a save, after throttledSaveDrain():", await isOnDisk("drained.json", drained));
  await new Promise((later) => setTimeout(later, 1000));
  console.log("a second later, of the second:", existsSync("saving.json"));
})();
PROGRAM
cat > expected <<'EXPECTED'
closed after a change: true
closed during a save: false
closed during a save, after throttledSaveDrain(): true
a second later, of the second: true
EXPECTED

echo '{ "private": true }' > package.json
npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact lokijs@1.5.12 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.cjs > seen
echo "lokijs 1.5.12 with Node.js $(node --version): is it on disk when close() has called back?"
cat seen
diff expected seen && echo "As found: close() does not wait for a save that is under way."
