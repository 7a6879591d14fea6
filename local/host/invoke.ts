import { randomBytes, randomUUID } from "node:crypto";
import { type Registry, runHooks } from "./coreApi.js";
import type { HostFunction } from "./functions.js";
import { messageOf, stackOf } from "./hostError.js";
import type { InvocationCause, Reporter } from "./log.js";
import type { OutputSender } from "./outputs.js";
import type {
  CoreInvocationContext,
  ProgrammingModel,
  RetryContext,
  RpcInvocationRequest,
  RpcInvocationResponse,
  RpcTypedData,
} from "./types.js";

/** Why a function runs, and with which input. */
type InvocationRequest = {
  readonly cause: InvocationCause;
  readonly data: RpcTypedData;
  readonly triggerMetadata?: Record<string, RpcTypedData>;
  readonly retryContext?: RetryContext;
  /** W3C `traceparent` of the caller, whose trace goes on. */
  readonly traceParent?: string | undefined;
};

/** How an invocation ended. `error`: the message of what was thrown. */
export type InvocationResult =
  | { readonly ok: true; readonly response: RpcInvocationResponse }
  | { readonly ok: false; readonly error: string };

/** Runs functions, and knows which are running. */
export type Invoker = {
  /** Runs a function once, outputs included. Never rejects: a failure is a result. */
  invoke(hostFunction: HostFunction, request: InvocationRequest): Promise<InvocationResult>;
  /** Resolves when no function is running. */
  idle(): Promise<void>;
  readonly runningCount: () => number;
};

/** What invocations need. */
export type InvokerOptions = {
  readonly registry: Registry;
  readonly model: ProgrammingModel;
  readonly outputs: OutputSender;
  readonly reporter: Reporter;
  readonly functionTimeoutMs: number;
  readonly onTimeout: (message: string) => void;
};

const TIMER_MS_MAX = 2 ** 31 - 1; // setTimeout takes no more; such a function timeout is as good as none.

/** Builds the one path by which every trigger runs a function: hooks, handler, outputs, log and event. */
export function createInvoker(options: InvokerOptions): Invoker {
  const running = new Set<Promise<unknown>>();
  return {
    runningCount: () => running.size,
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    invoke(hostFunction, request) {
      const run = runReported(options, hostFunction, request);
      running.add(run);
      return run.finally(() => running.delete(run));
    },
  };
}

async function runReported(
  options: InvokerOptions,
  hostFunction: HostFunction,
  request: InvocationRequest,
): Promise<InvocationResult> {
  const { log, emit } = options.reporter;
  const { name } = hostFunction;
  const invocationId = randomUUID();
  const startMs = performance.now();
  log("debug", name, `Executing (${request.cause}, Id=${invocationId})`);
  const disarm = armTimeout(options, name, invocationId);
  let result: InvocationResult;
  try {
    result = { ok: true, response: await run(options, hostFunction, request, invocationId) };
  } catch (error) {
    result = { ok: false, error: messageOf(error) };
    log("error", name, stackOf(error));
  } finally {
    disarm();
  }
  const ms = Math.round(performance.now() - startMs);
  const outcome = result.ok ? "succeeded" : "failed";
  log(result.ok ? "information" : "error", name, `Executed (${outcome}, Id=${invocationId}, Duration=${ms}ms)`);
  const failure = result.ok ? {} : { error: result.error };
  emit({ event: "invocation", function: name, invocationId, cause: request.cause, outcome, ms, ...failure });
  return result;
}

/**
 * On a timeout the real host restarts the worker process, and with it fails everything else that runs there. JavaScript
 * cannot be interrupted from outside either way, so here the whole process has to go: the caller ends it.
 */
function armTimeout(options: InvokerOptions, name: string, invocationId: string): () => void {
  const { functionTimeoutMs, onTimeout } = options;
  if (functionTimeoutMs > TIMER_MS_MAX) return () => undefined;
  const timer = setTimeout(
    () =>
      onTimeout(`Timeout value of ${functionTimeoutMs / 1000} s exceeded by function '${name}' (Id=${invocationId})`),
    functionTimeoutMs,
  );
  return () => clearTimeout(timer);
}

async function run(
  { registry, model, outputs, reporter }: InvokerOptions,
  hostFunction: HostFunction,
  request: InvocationRequest,
  invocationId: string,
): Promise<RpcInvocationResponse> {
  const { metadata, name } = hostFunction;
  let invocationContext: unknown;
  const core: CoreInvocationContext = {
    invocationId,
    request: toRpcRequest(hostFunction, request, invocationId),
    metadata,
    log(level, category, message) {
      const hooked = { hookData: {}, level, category, message, invocationContext };
      for (const hook of registry.hooks.log) hook(hooked); // May change level and message; not awaited, as log is not.
      reporter.log(hooked.level, name, hooked.message, category);
    },
  };
  const invocation = await model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();
  invocationContext = context;

  const hookData = {};
  const before = { hookData, invocationContext, inputs, functionCallback: hostFunction.callback };
  core.state = "preInvocationHooks";
  await runHooks(registry, "preInvocation", before);

  const after: Record<string, unknown> = {
    hookData,
    invocationContext,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  core.state = "invocation";
  try {
    after["result"] = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after["error"] = error;
  }
  core.state = "postInvocationHooks";
  await runHooks(registry, "postInvocation", after);
  core.state = undefined;
  if (after["error"] !== null && after["error"] !== undefined) throw after["error"];

  const response = await invocation.getResponse(context, after["result"]);
  await outputs.send(hostFunction, response); // A message that cannot be sent fails the invocation.
  return response;
}

function toRpcRequest(
  { name, trigger }: HostFunction,
  request: InvocationRequest,
  invocationId: string,
): RpcInvocationRequest {
  const traceId = /^00-([0-9a-f]{32})-/.exec(request.traceParent ?? "")?.[1] ?? randomBytes(16).toString("hex");
  return {
    invocationId,
    functionId: name,
    inputData: [{ name: trigger.name, data: request.data }],
    traceContext: {
      traceParent: `00-${traceId}-${randomBytes(8).toString("hex")}-01`,
      traceState: "",
      attributes: {},
    },
    ...(request.triggerMetadata === undefined ? {} : { triggerMetadata: request.triggerMetadata }),
    ...(request.retryContext === undefined ? {} : { retryContext: request.retryContext }),
  };
}
