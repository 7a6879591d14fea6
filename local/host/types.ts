// The part of the contract between `@azure/functions` and the Node worker that this stand-in serves.

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
export type LogCategory = "user" | "system" | "customMetric";

/** One value on its way between host and worker; exactly one property is set. */
export type RpcTypedData = {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: RpcHttp;
};

type Valued<T> = { readonly value?: T };

export type RpcCookie = {
  readonly name: string;
  readonly value: string;
  readonly domain?: Valued<string>;
  readonly path?: Valued<string>;
  readonly expires?: Valued<{ readonly seconds: number }>;
  readonly secure?: Valued<boolean>;
  readonly httpOnly?: Valued<boolean>;
  readonly sameSite?: "none" | "lax" | "strict" | "explicitNone";
  readonly maxAge?: Valued<number>;
};

export type RpcHttp = {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: Record<string, Valued<string>>;
  readonly nullableQuery?: Record<string, Valued<string>>;
  readonly nullableParams?: Record<string, Valued<string>>;
  readonly body?: RpcTypedData | null | undefined;
  readonly statusCode?: string;
  readonly headers?: Record<string, string>;
  readonly cookies?: readonly RpcCookie[];
};

export type Binding = {
  readonly type: string;
  readonly direction: "in" | "out";
  readonly name: string;
  readonly [option: string]: unknown;
};

type Duration = { readonly seconds?: number };

export type RetryOptions = {
  readonly maxRetryCount: number;
  readonly retryStrategy: "fixedDelay" | "exponentialBackoff";
  readonly delayInterval?: Duration;
  readonly minimumInterval?: Duration;
  readonly maximumInterval?: Duration;
};

export type FunctionMetadata = {
  readonly name: string;
  readonly bindings: Record<string, Binding>;
  readonly retryOptions?: RetryOptions;
};

/** A handler as the library wraps it. */
export type FunctionCallback = (...inputs: unknown[]) => unknown;
/** A hook; it may change its context. */
export type HookCallback = (context: Record<string, unknown>) => unknown;

export type RetryContext = {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception?: { readonly message: string };
};

export type RpcInvocationRequest = {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: RpcTypedData }[];
  readonly triggerMetadata?: Record<string, RpcTypedData>;
  readonly traceContext: { readonly traceParent: string; readonly traceState: string; readonly attributes: object };
  readonly retryContext?: RetryContext;
};

export type RpcInvocationResponse = {
  readonly outputData?: readonly { readonly name: string; readonly data: RpcTypedData }[];
  readonly returnValue?: RpcTypedData | null;
};

export type CoreInvocationContext = {
  readonly invocationId: string;
  readonly request: RpcInvocationRequest;
  readonly metadata: FunctionMetadata;
  state?: "preInvocationHooks" | "invocation" | "postInvocationHooks" | undefined;
  log(level: LogLevel, category: LogCategory, message: string): void;
};

type InvocationModel = {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<RpcInvocationResponse>;
};

export type ProgrammingModel = {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>>;
};

/** A function as the app registered it. */
export type RegisteredFunction = { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback };
