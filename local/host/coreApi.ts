import Module from "node:module";
import { HostError } from "./hostError.js";
import type {
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  LogCategory,
  LogLevel,
  ProgrammingModel,
  RegisteredFunction,
} from "./types.js";

const CORE_API_ID = "@azure/functions-core";
const HOOK_NAMES = ["appStart", "appTerminate", "preInvocation", "postInvocation", "log"] as const;
/** Hooks that an app can register. */
export type HookName = (typeof HOOK_NAMES)[number];

const VERSION = "4.0.0"; // Not that of any real host or worker: code that asks must not mistake us for one.

/** Everything that an app registered, and the hooks it set. */
export type Registry = {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Record<HookName, HookCallback[]>;
  model: ProgrammingModel | null;
  isLocked: boolean;
};

type CoreLog = (level: LogLevel, category: LogCategory, message: string) => void;

let isInstalled = false;

class Disposable {
  readonly #onDispose: () => void;
  #isDisposed = false;
  constructor(onDispose: () => void) {
    this.#onDispose = onDispose;
  }
  static from(...items: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#onDispose();
  }
}

/**
 * Offers `@azure/functions-core` to every `require` of this process and collects what the app registers through it.
 * `@azure/functions` looks the module up once per process and keeps its answer, and an app's modules run only once:
 * so a process can hold only **one** host, ever.
 * @throws HostError for a second call.
 */
export function installCoreApi(log: CoreLog): Registry {
  if (isInstalled) {
    throw new HostError("this process has had a Functions host already: start each host in a process of its own");
  }
  isInstalled = true;
  const registry: Registry = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    model: null,
    isLocked: false,
  };
  const coreApi = createCoreApi(registry, log);
  const prototype = Module.prototype as unknown as { require(this: unknown, id: string): unknown };
  const originalRequire = prototype.require;
  prototype.require = function (id) {
    return id === CORE_API_ID ? coreApi : originalRequire.call(this, id);
  };
  return registry;
}

function createCoreApi(registry: Registry, log: CoreLog): object {
  return {
    version: VERSION,
    hostVersion: VERSION,
    log,
    Disposable,
    setProgrammingModel: (model: ProgrammingModel) => {
      registry.model = model;
    },
    getProgrammingModel: () => registry.model,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      registerFunction(registry, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(registry, name, callback),
  };
}

function registerFunction(registry: Registry, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  const { name } = metadata;
  if (registry.isLocked) throw new Error(`A function can only be registered during app startup: "${name}".`);
  if (registry.functions.has(name)) throw new Error(`A function with id "${name}" has already been registered.`);
  registry.functions.set(name, { metadata, callback });
  return new Disposable(() => {
    if (registry.isLocked) throw new Error(`A function can only be disposed during app startup: "${name}".`);
    registry.functions.delete(name);
  });
}

function registerHook(registry: Registry, name: string, callback: HookCallback): Disposable {
  const hooks = isHookName(name) ? registry.hooks[name] : null;
  if (hooks === null) {
    throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), { isAzureFunctionsSystemError: true });
  }
  hooks.push(callback);
  return new Disposable(() => {
    const index = hooks.indexOf(callback);
    if (index !== -1) hooks.splice(index, 1);
  });
}

function isHookName(name: string): name is HookName {
  return (HOOK_NAMES as readonly string[]).includes(name);
}

/** Runs the hooks of one kind, one after another in order of registration; the first that throws ends it. */
export async function runHooks(registry: Registry, name: HookName, context: Record<string, unknown>): Promise<void> {
  for (const hook of [...registry.hooks[name]]) await hook(context);
}
