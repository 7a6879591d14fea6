import Module from "node:module";
import { pathToFileURL } from "node:url";

/**
 * `node loadApp.mjs FILE...`: loads an app's entry files as the worker does, then asks its status once. Prints what was
 * registered, and how long that took from the first import on, as one line of JSON.
 */
const handlers = new Map();
const core = {
  version: "4.0.0",
  hostVersion: "4.0.0",
  log: () => undefined,
  Disposable: class {},
  setProgrammingModel: () => undefined,
  registerHook: () => ({ dispose: () => undefined }),
  registerFunction: ({ name }, handler) => {
    handlers.set(name, handler);
    return { dispose: () => undefined };
  },
};
const { require } = Module.prototype;
Module.prototype.require = function (id) {
  return id === "@azure/functions-core" ? core : require.call(this, id);
};

const said = [];
const say = (text) => said.push(text);
const context = {
  functionName: "status",
  invocationId: "00000000-0000-4000-8000-000000000000",
  options: { trigger: { type: "httpTrigger" } },
  extraOutputs: new Map(),
  log: say,
  info: say,
  warn: say,
  error: say,
};

const startMs = performance.now();
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href);
const loadMs = performance.now() - startMs;
const answer = await handlers.get("status")(new Request("http://127.0.0.1/api/status"), context);
const statusMs = performance.now() - startMs;
if (answer.status !== 200) throw new Error(`The status was answered ${answer.status}: ${said.join("; ")}`);
process.stdout.write(JSON.stringify({ functions: [...handlers.keys()].sort(), loadMs, statusMs }));
process.exit(0);
