#!/usr/bin/env bash
# Azure Functions for Node.js (@azure/functions) reads the text of a queue message as JSON whenever it can be read so, whoever wrote it
# and whatever was meant. One would guess that a text arrives as that text: an id of 20 digits loses its last ones, "12e3" becomes
# 12000, "null" is no text at all. "0042", which is no JSON, stays text, so the type of the input changes from message to message.
# A stand-in gives the library what the Node.js worker gives it: the text of the message, in the worker's form.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true }' > package.json
cat > finding.cjs <<'PROGRAM'
const core = require("@azure/functions-core");
const { app } = require("@azure/functions");

app.storageQueue("orders", { queueName: "orders", connection: "AzureWebJobsStorage", handler: (message) => message });

async function main() {
  const { metadata, callback } = core.registered;
  const name = Object.keys(metadata.bindings).find((key) => metadata.bindings[key].type === "queueTrigger");
  for (const text of ["order 42", "0042", "42", "12345678901234567890", "12e3", "1.10", "null"]) {
    const request = { invocationId: "1", functionId: "1", inputData: [{ name, data: { string: text } }] };
    const invocation = { invocationId: "1", request, metadata, state: "invocation", log() {} };
    const model = await core.getProgrammingModel().getInvocationModel(invocation);
    const { context, inputs } = await model.getArguments();
    const message = await model.invokeFunction(context, inputs, callback);
    console.log(`${text} | ${message === null ? "null" : typeof message} ${String(message)}`);
  }
}
main();
PROGRAM
cat > core.js <<'CORE'
// What the Node.js worker offers to the library under this name, as far as a queue needs it.
let model;
module.exports = {
  version: "3.9.1",
  hostVersion: "4.1037.0",
  Disposable: class {},
  log() {},
  registerHook() {},
  setProgrammingModel: (given) => { model = given; },
  getProgrammingModel: () => model,
  registerFunction: (metadata, callback) => { module.exports.registered = { metadata, callback }; },
};
CORE
cat > expected <<'EXPECTED'
order 42 | string order 42
0042 | string 0042
42 | number 42
12345678901234567890 | number 12345678901234567000
12e3 | number 12000
1.10 | number 1.1
null | null null
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @azure/functions@4.16.5 > install.log 2>&1 || { cat install.log; exit 1; }
mkdir -p node_modules/@azure/functions-core
mv core.js node_modules/@azure/functions-core/index.js
node finding.cjs > seen
echo "@azure/functions 4.16.5 with Node.js $(node --version): text in the queue | type and value that the handler gets"
cat seen
diff expected seen && echo "As found: texts are read as JSON."
