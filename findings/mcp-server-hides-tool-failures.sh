#!/usr/bin/env bash
# Where a tool throws, the official MCP server for JavaScript (@modelcontextprotocol/server) tells the client the text of the error, as the
# tool's result, with HTTP status 200. One would guess that `onerror` hears of it, which its documentation has for out-of-band errors and
# rejected requests, or that the exchange fails. Nobody hears: a server that logs by onerror logs no failure of a tool, monitoring counts
# successes, and what was meant for the log is read by the model. A tool must catch its own errors.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true }' > package.json
cat > finding.mjs <<'PROGRAM'
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";

const heard = [];
const handler = createMcpHandler(
  () => {
    const server = new McpServer({ name: "finding", version: "1.0.0" });
    server.registerTool("read", { description: "Reads." }, () => {
      throw new Error("connect ECONNREFUSED 10.0.0.4:5432");
    });
    server.server.onerror = (error) => heard.push(error);
    return server;
  },
  { onerror: (error) => heard.push(error) },
);
const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "finding", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "read", arguments: {}, _meta: meta } };
const headers = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": "tools/call",
  "mcp-name": "read",
};
const request = new Request("http://127.0.0.1/mcp", { method: "POST", headers, body: JSON.stringify(message) });
const response = await handler.fetch(request);
const { result } = await response.json();
console.log(`status: ${response.status}`);
console.log(`result: isError ${result.isError}, ${result.content[0].text}`);
console.log(`onerror was told of ${heard.length}`);
PROGRAM
cat > expected <<'EXPECTED'
status: 200
result: isError true, connect ECONNREFUSED 10.0.0.4:5432
onerror was told of 0
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @modelcontextprotocol/server@2.4.0 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.mjs > seen
echo "@modelcontextprotocol/server 2.4.0 with Node.js $(node --version): a tool that throws"
cat seen
diff expected seen && echo "As found: the client reads the error, and nobody else hears of it."
