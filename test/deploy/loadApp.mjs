import Module from "node:module";
import { pathToFileURL } from "node:url";

/**
 * `node loadApp.mjs FILE...`: loads an app's entry files as the worker does, then asks its status once. Prints what was
 * registered, and how long that took from the first import on, as one line of JSON.
 */
const handlers = new Map();
const hooks = [];
const core = {
  version: "4.0.0",
  hostVersion: "4.0.0",
  log: () => undefined,
  Disposable: class {},
  setProgrammingModel: () => undefined,
  registerHook: (name, callback) => {
    hooks.push({ name, callback });
    return { dispose: () => undefined };
  },
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
const inputs = [new Request("http://127.0.0.1/api/status")];
const invocation = { hookData: {}, invocationContext: context, inputs, functionCallback: handlers.get("status") };
for (const { name, callback } of hooks) if (name === "preInvocation") await callback(invocation);
const answer = await invocation.functionCallback(...inputs, context);
const statusMs = performance.now() - startMs;
if (answer.status !== 200) throw new Error(`The status was answered ${answer.status}: ${said.join("; ")}`);
const names = { functions: [...handlers.keys()].sort(), hooks: hooks.map(({ name }) => name) };
process.stdout.write(JSON.stringify({ ...names, loadMs, statusMs }));
process.exit(0);
