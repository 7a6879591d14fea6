#!/usr/bin/env bash
# The Graph client for JavaScript (@microsoft/microsoft-graph-client) looks for the type of an answer in a $batch under the very letters
# "Content-Type". One would guess that names of headers are read without regard to case, as HTTP has it and as Headers and fetch do. Where a
# server or a gateway writes "content-type", as HTTP/2 does, the JSON of the answer becomes the text "[object Object]".
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true }' > package.json
cat > finding.mjs <<'PROGRAM'
import graph from "@microsoft/microsoft-graph-client";

for (const name of ["Content-Type", "content-type", "Content-type"]) {
  const answer = { id: "1", status: 200, headers: { [name]: "application/json" }, body: { name: "Calendar" } };
  const text = await new graph.BatchResponseContent({ responses: [answer] }).getResponseById("1").text();
  console.log(`${name} | ${text}`);
}
PROGRAM
cat > expected <<'EXPECTED'
Content-Type | {"name":"Calendar"}
content-type | [object Object]
Content-type | [object Object]
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @microsoft/microsoft-graph-client@3.0.7 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.mjs > seen
echo "@microsoft/microsoft-graph-client 3.0.7 with Node.js $(node --version): name of the header | body as read"
cat seen
diff expected seen && echo "As found: only Content-Type in these letters is understood."
