#!/usr/bin/env bash
# The Graph client for JavaScript (@microsoft/microsoft-graph-client) compares a request's host, in lower case and without its port, with the
# names in `customHosts` as they stand. One would guess that names of hosts are compared without regard to case, and would follow the client's
# own error message, which says to give the port along ("host is `example:3000`"). Neither kind of name ever matches: the token
# is left out without a word, and the service answers 401.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true }' > package.json
cat > finding.mjs <<'PROGRAM'
import graph from "@microsoft/microsoft-graph-client";

// The client with its own handler of tokens; in the place of the network, one that tells what would be sent.
async function show(baseUrl, host) {
  const authentication = new graph.AuthenticationHandler({ getAccessToken: async () => "secret" });
  let sent;
  authentication.setNext({
    async execute(context) {
      sent = new Headers(context.options.headers).get("authorization");
      context.response = Response.json({});
    },
  });
  const client = graph.Client.initWithMiddleware({ middleware: authentication, baseUrl, customHosts: new Set([host]) });
  await client.api("/me").get();
  console.log(`${baseUrl} | ${host} | ${sent === null ? "no token" : "token"}`);
}
await show("https://graph.contoso.com/", "graph.contoso.com");
await show("https://Graph.Contoso.com/", "graph.contoso.com");
await show("https://Graph.Contoso.com/", "Graph.Contoso.com");
await show("https://graph.contoso.com:3000/", "graph.contoso.com");
await show("https://graph.contoso.com:3000/", "graph.contoso.com:3000");
await show("https://graph.contoso.com/", "https://graph.contoso.com/").catch(({ message }) => console.log(message));
PROGRAM
cat > expected <<'EXPECTED'
https://graph.contoso.com/ | graph.contoso.com | token
https://Graph.Contoso.com/ | graph.contoso.com | token
https://Graph.Contoso.com/ | Graph.Contoso.com | no token
https://graph.contoso.com:3000/ | graph.contoso.com | token
https://graph.contoso.com:3000/ | graph.contoso.com:3000 | no token
Please add only hosts or hostnames to the CustomHosts config. If the url is `http://example.com:3000/`, host is `example:3000`
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @microsoft/microsoft-graph-client@3.0.7 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.mjs > seen
echo "@microsoft/microsoft-graph-client 3.0.7 with Node.js $(node --version): base URL | name in customHosts | what is sent"
cat seen
diff expected seen && echo "As found: upper case and ports never match, and the message advises the port."
