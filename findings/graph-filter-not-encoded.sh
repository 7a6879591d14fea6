#!/usr/bin/env bash
# The Graph client for JavaScript (@microsoft/microsoft-graph-client) does not encode what .filter() and .query() are given. One would
# guess that it does, since it takes values and builds the URL itself. But "R&D" is cut at the ampersand and its rest becomes an option
# of its own, "#" cuts off all that follows, other options included, and "+" arrives as a blank. The caller must encode each value.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true }' > package.json
cat > finding.mjs <<'PROGRAM'
import { once } from "node:events";
import { createServer } from "node:http";
import graph from "@microsoft/microsoft-graph-client";

// A server that answers with the options that it read.
const server = createServer((request, response) => {
  const options = new URL(request.url, "http://127.0.0.1").searchParams;
  response.setHeader("content-type", "application/json").end(JSON.stringify({ options: [...options] }));
});
await once(server.listen(0, "127.0.0.1"), "listening");

const baseUrl = `http://127.0.0.1:${server.address().port}/`;
const client = graph.Client.initWithMiddleware({ middleware: new graph.HTTPMessageHandler(), baseUrl });
async function show(how, text, request) {
  const { options } = await request.select("id").get();
  console.log(`${how} ${text} | ${JSON.stringify(Object.fromEntries(options))}`);
}
for (const text of ["displayName eq 'Sales'", "displayName eq 'R&D'", "displayName eq 'Desk #4'", "mail eq 'ann+desk@contoso.com'"]) {
  await show("filter", text, client.api("/users").filter(text));
}
const text = "displayName eq 'R&D'";
await show("query", text, client.api("/users").query({ $filter: text }));
await show("encoded", text, client.api("/users").filter(encodeURIComponent(text)));
server.close();
server.closeAllConnections();
PROGRAM
cat > expected <<'EXPECTED'
filter displayName eq 'Sales' | {"$filter":"displayName eq 'Sales'","$select":"id"}
filter displayName eq 'R&D' | {"$filter":"displayName eq 'R","D'":"","$select":"id"}
filter displayName eq 'Desk #4' | {"$filter":"displayName eq 'Desk "}
filter mail eq 'ann+desk@contoso.com' | {"$filter":"mail eq 'ann desk@contoso.com'","$select":"id"}
query displayName eq 'R&D' | {"$filter":"displayName eq 'R","D'":"","$select":"id"}
encoded displayName eq 'R&D' | {"$filter":"displayName eq 'R&D'","$select":"id"}
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @microsoft/microsoft-graph-client@3.0.7 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.mjs > seen
echo "@microsoft/microsoft-graph-client 3.0.7 with Node.js $(node --version): given, with .select(\"id\") | options that the server read"
cat seen
diff expected seen && echo "As found: filters are not encoded."
