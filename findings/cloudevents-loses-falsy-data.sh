#!/usr/bin/env bash
# The CloudEvents SDK for JavaScript (cloudevents) loses data that JavaScript counts as false. It sends an event whose data is false, 0 or ""
# in JSON as the specification has it, and reads the same event back without any data, with no error. One would guess that an event is read as
# it was sent, the more so as true, 1 and "a" are: a switch that is turned off, or a counter that stands at 0, arrives as an event
# about nothing. In binary mode it is the other way round: false and 0 are read, and true and 1.5 are refused before they are sent.
# Needs Node.js 20 to 24 with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true, "type": "module" }' > package.json
cat > finding.js <<'PROGRAM'
import { CloudEvent, HTTP } from "cloudevents";

const event = (data) => new CloudEvent({ id: "1", source: "/switches/7", type: "com.example.switched", datacontenttype: "application/json", data });
const reads = (message) => {
  const { data } = HTTP.toEvent(message);
  return data === undefined ? "lost" : JSON.stringify(data);
};
for (const data of [true, false, 1.5, 0, "a", "", { on: false }]) {
  const structured = HTTP.structured(event(data));
  let binary;
  try {
    binary = reads(HTTP.binary(event(data)));
  } catch (error) {
    binary = error.message;
  }
  console.log(`${JSON.stringify(data)} | ${JSON.stringify(JSON.parse(structured.body).data)} | ${reads(structured)} | ${binary}`);
}
PROGRAM
cat > expected <<'EXPECTED'
true | true | true | invalid payload type, allowed are: string or object
false | false | lost | false
1.5 | 1.5 | 1.5 | invalid payload type, allowed are: string or object
0 | 0 | lost | 0
"a" | "a" | "a" | "a"
"" | "" | lost | ""
{"on":false} | {"on":false} | {"on":false} | {"on":false}
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact cloudevents@10.0.0 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.js > seen
echo "cloudevents 10.0.0 with Node.js $(node --version): data | in the JSON sent | as read from it | as read in binary mode"
cat seen
diff expected seen && echo "As found: false, 0 and an empty text are lost."
