#!/usr/bin/env bash
# @azure/data-tables does not store properties of an entity that are called `timestamp` or `etag`: it takes them for its own names of the system
# properties, and the service ignores what it is told of those. One would guess that an event or a reading { timestamp, value } is stored, or
# refused: createEntity resolves, and timestamp is then the time of the insert, so that data brought in later all bears the day of the import. A
# column `timestamp` is not reserved (the service knows Timestamp): Azure.Data.Tables for .NET stores it. Another name, such as `at`, is stored.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true, "type": "module" }' > package.json
cat > finding.js <<'PROGRAM'
import { createRequire } from "node:module";
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";

const account = "finding";
const key = Buffer.from("a key for this test alone").toString("base64");
process.env.AZURITE_ACCOUNTS = `${account}:${key}`;
const inAzurite = (file) => createRequire(import.meta.url)(`azurite/dist/src/table/${file}.js`).default;
const Configuration = inAzurite("TableConfiguration");
const Server = inAzurite("TableServer");
const inMemory = ["127.0.0.1", 0, 5, "", false, false, undefined, undefined, false, false, "", "", "", undefined, false, true];
const server = new Server(new Configuration(...inMemory));
await server.start();
try {
  const url = `${server.getHttpServerAddress()}/${account}`;
  const table = new TableClient(url, "readings", new AzureNamedKeyCredential(account, key), { allowInsecureConnection: true });
  await table.createTable();
  const year = "2020";
  const sample = new Date(`${year}-05-01T12:00:00Z`);
  for (const [row, name, value] of [["1", "at", sample], ["2", "timestamp", sample], ["3", "etag", "2020-a"]]) {
    await table.createEntity({ partitionKey: "sensor", rowKey: row, [name]: value });
    const { [name]: found } = await table.getEntity("sensor", row);
    const text = found instanceof Date ? found.toISOString() : found;
    console.log(`${name} | ${text.startsWith(year) ? "stored" : "replaced by the service's own"}`);
  }
} finally {
  await server.close();
}
PROGRAM
cat > expected <<'EXPECTED'
at | stored
timestamp | replaced by the service's own
etag | replaced by the service's own
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @azure/data-tables@13.3.2 azurite@3.37.0 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.js > seen
echo "@azure/data-tables 13.3.2, Azurite 3.37.0, Node.js $(node --version): name of a property | what became of its value"
cat seen
diff expected seen && echo "As found: timestamp and etag of an entity are lost."
