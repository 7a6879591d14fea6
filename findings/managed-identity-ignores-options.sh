#!/usr/bin/env bash
# ManagedIdentityCredential of @azure/identity takes the options of getToken and drops them, in App Service and Azure Functions too.
# One would guess that a call whose abortSignal is aborted rejects with AbortError: it waits for the identity endpoint however long that
# takes, and then resolves. And one would guess that claims (the answer to a claims challenge) ask for a new token: the old one comes
# again from a cache, which is one for the whole process, so that a new credential does not help either.
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
import { ManagedIdentityCredential } from "@azure/identity";

// The identity endpoint of App Service: here it answers after one second, each time with another token, good for one day.
let requests = 0;
const server = createServer((_request, response) => {
  requests += 1;
  const expires = String(Math.floor(Date.now() / 1000) + 86_400);
  const answer = { access_token: `token-${requests}`, expires_on: expires, resource: "https://graph.microsoft.com", token_type: "Bearer" };
  setTimeout(() => response.setHeader("content-type", "application/json").end(JSON.stringify(answer)), 1000);
});
await once(server.listen(0, "127.0.0.1"), "listening");
process.env.IDENTITY_ENDPOINT = `http://127.0.0.1:${server.address().port}/msi/token`;
process.env.IDENTITY_HEADER = "header";

async function show(what, credential, options) {
  const outcome = await credential.getToken("https://graph.microsoft.com/.default", options).then(
    ({ token }) => `resolved with ${token}`,
    (error) => `rejected with ${error.name}`,
  );
  console.log(`${what} | ${outcome} | aborted: ${options.abortSignal?.aborted ?? "-"} | requests: ${requests}`);
}
const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: String(Math.floor(Date.now() / 1000)) } } });
const credential = new ManagedIdentityCredential();
await show("aborted after 0.1 s of 1 s", credential, { abortSignal: AbortSignal.timeout(100) });
await show("with claims", credential, { claims });
await show("with claims, new credential", new ManagedIdentityCredential(), { claims });
server.close();
PROGRAM
cat > expected <<'EXPECTED'
aborted after 0.1 s of 1 s | resolved with token-1 | aborted: true | requests: 1
with claims | resolved with token-1 | aborted: - | requests: 1
with claims, new credential | resolved with token-1 | aborted: - | requests: 1
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @azure/identity@4.14.1 @azure/msal-node@7.2.3 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.mjs > seen
echo "@azure/identity 4.14.1 (@azure/msal-node 7.2.3) with Node.js $(node --version): getToken | outcome | signal | requests that the identity endpoint saw"
cat seen
diff expected seen && echo "As found: abortSignal and claims change nothing."
