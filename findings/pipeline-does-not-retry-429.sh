#!/usr/bin/env bash
# The pipeline under the Azure SDKs for JavaScript (@azure/core-rest-pipeline) does not retry every 429. One would guess that "too many
# requests" is the first status that a client for cloud services retries: without Retry-After the 429 goes to the caller after one
# request, while 408, 500 and 503 without Retry-After are retried with exponential back-off.
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
import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from "@azure/core-rest-pipeline";

// Each path is answered once with the status that it names, and then with 200.
const requests = new Map();
const server = createServer((request, response) => {
  const count = (requests.get(request.url) ?? 0) + 1;
  requests.set(request.url, count);
  const [status, retryAfter] = request.url.slice(1).split("/");
  if (count === 1 && retryAfter) response.setHeader("retry-after", retryAfter);
  response.writeHead(count === 1 ? Number(status) : 200).end();
});
await once(server.listen(0, "127.0.0.1"), "listening");

const pipeline = createPipelineFromOptions({});
const client = createDefaultHttpClient();
for (const path of ["/408", "/500", "/503", "/429", "/429/1"]) {
  const url = `http://127.0.0.1:${server.address().port}${path}`;
  const { status } = await pipeline.sendRequest(client, createPipelineRequest({ url, allowInsecureConnection: true }));
  const [first, retryAfter = "-"] = path.slice(1).split("/");
  console.log(`${first} | Retry-After: ${retryAfter} | requests: ${requests.get(path)} | the caller gets ${status}`);
}
server.close();
server.closeAllConnections();
PROGRAM
cat > expected <<'EXPECTED'
408 | Retry-After: - | requests: 2 | the caller gets 200
500 | Retry-After: - | requests: 2 | the caller gets 200
503 | Retry-After: - | requests: 2 | the caller gets 200
429 | Retry-After: - | requests: 1 | the caller gets 429
429 | Retry-After: 1 | requests: 2 | the caller gets 200
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @azure/core-rest-pipeline@1.25.1 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.mjs > seen
echo "@azure/core-rest-pipeline 1.25.1, default pipeline, with Node.js $(node --version): first answer | its header | requests | outcome"
cat seen
diff expected seen && echo "As found: 429 without Retry-After is not retried."
