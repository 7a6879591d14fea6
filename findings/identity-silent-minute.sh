#!/usr/bin/env bash
# After one 500, 503 or 429 of the sign-in service, ClientSecretCredential of @azure/identity asks nothing for a minute: MSAL below it keeps
# the failure, and getToken fails at once with it. One would guess that each call of getToken without a token asks the service: who retries with
# a back-off below a minute sees one failure over and over, though the service was well again after a second. A new credential asks at once,
# and so does another scope. MSAL's page on throttling tells it of silent calls that interaction mends, @azure/identity's README not at all, and
# MSAL for .NET does it, after a 5xx, for public clients alone.
# The error is an AuthenticationRequiredError, which one would take for a user who must sign in.
# A stand-in answers in the place of the service; the clock is moved by hand; retries within a call are off, they change nothing but the time.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true, "type": "module" }' > package.json
cat > finding.js <<'PROGRAM'
import { ClientSecretCredential } from "@azure/identity";
import { createHttpHeaders } from "@azure/core-rest-pipeline";

let aheadMs = 0;
const now = Date.now.bind(Date);
Date.now = () => now() + aheadMs;

let status;
let requests;
const httpClient = {
  async sendRequest(request) {
    requests += 1;
    const body = status === 200 ? { token_type: "Bearer", expires_in: 3600, access_token: "token" } : { error: "temporarily_unavailable" };
    return { request, status, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify(body) };
  },
};
const credential = (clientId) => new ClientSecretCredential("tenant", clientId, "secret", { httpClient, retryOptions: { maxRetries: 0 } });
async function outcome(asked, scope = "https://graph.microsoft.com/.default") {
  requests = 0;
  const said = await asked.getToken(scope).then(() => "token", ({ name }) => name);
  return `${said}, ${requests} ${requests === 1 ? "request" : "requests"}`;
}

for (const first of [503, 500, 429, 408, 400]) {
  const asked = credential(String(first));
  status = first;
  const begun = await outcome(asked);
  status = 200; // The service is well again.
  const start = aheadMs;
  const later = [];
  for (const seconds of [1, 58, 62]) {
    aheadMs = start + seconds * 1000;
    later.push(`${seconds} s: ${await outcome(asked)}`);
    if (later.at(-1).includes("token")) break;
  }
  console.log([`${first}: ${begun}`, ...later].join(" | "));
}
const asked = credential("others");
status = 503;
await outcome(asked);
status = 200;
console.log(`after a 503, the same credential: ${await outcome(asked)}`);
console.log(`after a 503, another scope: ${await outcome(asked, "https://storage.azure.com/.default")}`);
console.log(`after a 503, a new credential: ${await outcome(credential("others"))}`);
PROGRAM
cat > expected <<'EXPECTED'
503: AuthenticationRequiredError, 1 request | 1 s: AuthenticationRequiredError, 0 requests | 58 s: AuthenticationRequiredError, 0 requests | 62 s: token, 1 request
500: AuthenticationRequiredError, 1 request | 1 s: AuthenticationRequiredError, 0 requests | 58 s: AuthenticationRequiredError, 0 requests | 62 s: token, 1 request
429: AuthenticationRequiredError, 1 request | 1 s: AuthenticationRequiredError, 0 requests | 58 s: AuthenticationRequiredError, 0 requests | 62 s: token, 1 request
408: AuthenticationRequiredError, 1 request | 1 s: token, 1 request
400: AuthenticationRequiredError, 1 request | 1 s: token, 1 request
after a 503, the same credential: AuthenticationRequiredError, 0 requests
after a 503, another scope: token, 1 request
after a 503, a new credential: token, 1 request
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @azure/identity@4.14.1 @azure/msal-node@7.2.3 @azure/core-rest-pipeline@1.25.1 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.js > seen
echo "@azure/identity 4.14.1 (@azure/msal-node 7.2.3) with Node.js $(node --version): the service's first answer | later, when it is well"
cat seen
diff expected seen && echo "As found: after a 429 or 5xx, nothing is asked for a minute."
