#!/usr/bin/env bash
# The Graph SDK for TypeScript (@microsoft/msgraph-sdk-core) sends the requests of a $batch without their headers, and drops the JSON bodies
# of the answers. One would guess that addBatchRequest and getResponseById carry both: the status arrives, and `body` is undefined, with no
# error, because it is read as a string in base64. What was asked with "Prefer" or "ConsistencyLevel" is asked without it. Only the raw
# answer to a POST of one's own has the calendars.
# A stand-in answers as Graph's page on batching shows it: JSON bodies are objects.
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
import { AnonymousAuthenticationProvider, HttpMethod, RequestInformation } from "@microsoft/kiota-abstractions";
import { BaseGraphRequestAdapter, BatchRequestContent } from "@microsoft/msgraph-sdk-core";

// Answers each request of a batch with its own headers, and shows what it was sent.
const server = createServer(async (request, response) => {
  const { requests } = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString());
  for (const { method, url, headers } of requests) console.log(`sent | ${method} ${url} | headers ${JSON.stringify(headers)}`);
  const headers = { "Content-Type": "application/json" };
  const responses = requests.map(({ id, headers: asked }) => ({ id, status: 200, headers, body: { asked: asked ?? "nothing" } }));
  response.setHeader("content-type", "application/json").end(JSON.stringify({ responses }));
});
await once(server.listen(0, "127.0.0.1"), "listening");

const adapter = new BaseGraphRequestAdapter("", "0", new AnonymousAuthenticationProvider());
adapter.baseUrl = `http://127.0.0.1:${server.address().port}/v1.0`;
const request = new RequestInformation(HttpMethod.GET, "{+baseurl}/me/calendars");
request.headers.add("Prefer", "odata.maxpagesize=2");
const batch = new BatchRequestContent(adapter, {});
const { id } = batch.addBatchRequest(request, "1");
const { status, body } = (await batch.postAsync()).getResponseById(id);
console.log(`read | status ${status} | body ${JSON.stringify(body)}`);
server.close();
server.closeAllConnections();
PROGRAM
cat > expected <<'EXPECTED'
sent | GET /me/calendars | headers undefined
read | status 200 | body undefined
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @microsoft/msgraph-sdk-core@1.0.0-preview.17 \
  @microsoft/kiota-abstractions@1.0.0-preview.109 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.mjs > seen
echo "@microsoft/msgraph-sdk-core 1.0.0-preview.17 with Node.js $(node --version): request as sent, answer as read"
cat seen
diff expected seen && echo "As found: headers and bodies are lost."
