#!/usr/bin/env bash
# The CloudEvents SDK for JavaScript (cloudevents) takes a single event in JSON only where the content type is spelt in one of two ways,
# letter for letter: application/cloudevents+json, alone or followed by "; charset=utf-8". One would guess that a media type is read as
# HTTP says (RFC 9110, 8.3.1): in any case, with or without a space before the parameter, its value quoted or not. A sender that writes
# charset=UTF-8, as many do, is refused with "invalid content type"; the same event in a batch is taken.
# Needs Node.js 20 to 24 with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true, "type": "module" }' > package.json
cat > finding.js <<'PROGRAM'
import { HTTP } from "cloudevents";

const event = JSON.stringify({ specversion: "1.0", id: "1", type: "com.example.created", source: "/orders", data: { order: 42 } });
const reads = (type, body) => {
  try {
    return [HTTP.toEvent({ headers: { "content-type": type }, body })].flat().every(({ id }) => id === "1") ? "read" : "lost";
  } catch (error) {
    return error.message.replace(/ type .*/, " type");
  }
};
for (const parameter of ["", "; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", '; charset="utf-8"']) {
  const single = reads(`application/cloudevents+json${parameter}`, event);
  const batch = reads(`application/cloudevents-batch+json${parameter}`, `[${event}]`);
  console.log(`${parameter || "alone"} | single: ${single} | batch: ${batch}`);
}
PROGRAM
cat > expected <<'EXPECTED'
alone | single: read | batch: read
; charset=utf-8 | single: read | batch: read
;charset=utf-8 | single: invalid content type | batch: read
; charset=UTF-8 | single: invalid content type | batch: read
; charset="utf-8" | single: invalid content type | batch: read
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact cloudevents@10.0.0 > install.log 2>&1 || { cat install.log; exit 1; }
node finding.js > seen
echo "cloudevents 10.0.0 with Node.js $(node --version): what follows the media type | a single event | a batch of one"
cat seen
diff expected seen && echo "As found: of a single event, the content type is compared letter by letter."
