import { HostError } from "./hostError.js";
import type { Log } from "./log.js";
import { type Environment, readSetting } from "./settings.js";
import type { Binding, RegisteredFunction } from "./types.js";

/** A function whose trigger was found and whose bindings this host can serve. */
export type HostFunction = RegisteredFunction & {
  readonly name: string;
  readonly trigger: Binding;
  /** Queue outputs by their key, `$return` included. */
  readonly queueOutputs: ReadonlyMap<string, Binding>;
};

/** A function that cannot run, and why. */
export type FunctionError = { readonly function: string; readonly message: string };

const TRIGGERS = new Set(["httptrigger", "timertrigger", "queuetrigger"]);
const OUTPUTS = new Set(["http", "queue"]);
const NAME = /^[a-z][a-z0-9_-]{0,127}$/i; // The host's own rule.

/** The kind of trigger: `http`, `timer` or `queue`. */
export function triggerKind(hostFunction: HostFunction): "http" | "timer" | "queue" {
  return hostFunction.trigger.type.toLowerCase().replace(/trigger$/, "") as "http" | "timer" | "queue";
}

/**
 * Goes through the registered functions in the host's order, by name. A function that cannot run is left out and reported
 * as an error; the others run.
 */
export function indexFunctions(
  registered: Iterable<RegisteredFunction>,
  environment: Environment,
  log: Log,
): { functions: HostFunction[]; errors: FunctionError[] } {
  const functions: HostFunction[] = [];
  const errors: FunctionError[] = [];
  // .NET's OrderBy compares strings by culture: "b" < "B" < "c", not by code unit.
  const { compare } = new Intl.Collator("en");
  for (const entry of [...registered].sort((a, b) => compare(a.metadata.name, b.metadata.name))) {
    const { name } = entry.metadata;
    if (isDisabled(name, environment)) {
      log("information", null, `Function '${name}' is disabled`);
      continue;
    }
    try {
      functions.push(indexFunction(entry));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      errors.push({ function: name, message: error.message });
    }
  }
  return { functions, errors };
}

function indexFunction(entry: RegisteredFunction): HostFunction {
  const { name, bindings } = entry.metadata;
  if (!NAME.test(name) || name.toLowerCase() === "host") throw new HostError(`'${name}' is not a valid function name`);
  const all = Object.entries(bindings);
  const trigger = all.find(([, binding]) => /trigger$/i.test(binding.type))?.[1];
  if (trigger === undefined) throw new HostError("it has no trigger");
  for (const [, binding] of all) {
    const known = binding.direction === "out" ? OUTPUTS : TRIGGERS;
    if (!known.has(binding.type.toLowerCase())) throw new HostError(`this local host has no binding '${binding.type}'`);
  }
  const queueOutputs = new Map(
    all.filter(([, binding]) => binding.direction === "out" && binding.type.toLowerCase() === "queue"),
  );
  return { ...entry, name, trigger, queueOutputs };
}

function isDisabled(name: string, environment: Environment): boolean {
  const value =
    readSetting(environment, `AzureWebJobs.${name}.Disabled`) ??
    readSetting(environment, `AzureWebJobs_${name}_Disabled`);
  return value === "1" || value?.toLowerCase() === "true";
}
