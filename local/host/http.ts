import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { HostFunction } from "./functions.js";
import { HostError, messageOf } from "./hostError.js";
import { readBody, sendRpcHttpResponse, sendStatus, toRpcHttpRequest } from "./httpMessages.js";
import type { Invoker } from "./invoke.js";
import type { Reporter } from "./log.js";
import { parseRoute, type Route } from "./routes.js";

/** A function with its route. */
export type HttpFunction = {
  readonly hostFunction: HostFunction;
  readonly route: Route;
  readonly methods: readonly string[];
  readonly isAnonymous: boolean;
};

/** What the HTTP server of the host needs. */
export type HttpOptions = {
  /** In the order of matching, which is that of the functions' names: the first that fits answers. */
  readonly functions: readonly HttpFunction[];
  readonly invoker: Invoker;
  readonly reporter: Reporter;
  /** The one key of all functions and of /admin; null leaves everything open, as `func start` does. */
  readonly key: string | null;
  /** Starts a run that is not HTTP; null when there is no such function, "http" when it has a route instead. */
  readonly runManually: (name: string, input: unknown) => "started" | "http" | null;
  readonly isHomepageOff: boolean;
};

/** Reads route, methods and access of an HTTP function. @throws HostError when its route is not valid. */
export function toHttpFunction(hostFunction: HostFunction, routePrefix: string): HttpFunction {
  const { trigger, name } = hostFunction;
  const methods = Array.isArray(trigger["methods"]) ? trigger["methods"].map(String) : [];
  return {
    hostFunction,
    route: parseRoute(typeof trigger["route"] === "string" ? trigger["route"] : name, routePrefix),
    methods: methods.map((method) => method.toUpperCase()),
    isAnonymous: String(trigger["authLevel"] ?? "function").toLowerCase() === "anonymous",
  };
}

/** Serves the functions' routes and /admin on 127.0.0.1. `port` 0 lets the system choose. */
export async function listen(options: HttpOptions, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    handle(options, request, response).catch((error: unknown) => {
      options.reporter.log("error", null, `${request.method} ${pathOf(request)}: ${messageOf(error)}`);
      if (!response.headersSent) sendStatus(response, 500);
    });
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(new HostError(`port ${port} cannot be used: ${error.message}`));
    server.once("error", fail).listen(port, "127.0.0.1", () => {
      server.off("error", fail);
      resolve();
    });
  });
  return server;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

async function handle(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  const url = new URL(`http://${request.headers.host ?? "127.0.0.1"}${(request.url ?? "/").replace(/^[^/].*$/, "/")}`);
  if (/^\/admin(?:\/|$)/i.test(path)) return handleAdmin(options, request, response, url);
  for (const candidate of options.functions) {
    if (!candidate.methods.includes(request.method ?? "")) continue; // The method is part of the route: no match, 404.
    const params = candidate.route.match(path);
    if (params !== null) return handleFunction(options, candidate, params, url, request, response);
  }
  request.resume();
  if (path !== "/") return sendStatus(response, 404);
  if (options.isHomepageOff) return sendStatus(response, 204);
  response.setHeader("content-type", "text/plain");
  response.end("The local Functions host is up and running.\n");
}

async function handleFunction(
  options: HttpOptions,
  { hostFunction, isAnonymous }: HttpFunction,
  params: Record<string, string>,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isAnonymous && !hasKey(options, request, url)) {
    request.resume();
    return sendStatus(response, 401);
  }
  const body = await readBody(request);
  if (body === "tooLarge") {
    response.setHeader("connection", "close");
    return sendStatus(response, 413);
  }
  const data = toRpcHttpRequest(request, url, params, body);
  const traceParent = request.headers["traceparent"];
  const result = await options.invoker.invoke(hostFunction, {
    cause: "http",
    data,
    ...(typeof traceParent === "string" ? { traceParent } : {}),
  });
  if (!result.ok) return sendStatus(response, 500);
  sendRpcHttpResponse(response, result.response.returnValue?.http);
}

async function handleAdmin(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const body = await readBody(request);
  if (!hasKey(options, request, url)) return sendStatus(response, 401);
  const [, name] = /^\/admin\/functions\/([^/]+)\/?$/i.exec(url.pathname) ?? [];
  if (name === undefined || request.method !== "POST") return sendStatus(response, 404);
  const input = body instanceof Buffer ? parseManualInput(body) : undefined;
  if (input === undefined) return sendStatus(response, 400);
  const outcome = options.runManually(name, input.value);
  const status = { started: 202, http: 400, none: 404 }[outcome ?? "none"];
  sendStatus(response, status);
}

/** `{"input": …}`, where the input may be left out. Undefined when the body is not such an object. */
function parseManualInput(body: Buffer): { value: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return undefined;
    return { value: "input" in parsed ? parsed.input : "" };
  } catch {
    return undefined; // Not JSON: answered with 400.
  }
}

function hasKey({ key }: HttpOptions, request: IncomingMessage, url: URL): boolean {
  if (key === null) return true;
  const given = request.headers["x-functions-key"] ?? url.searchParams.get("code");
  if (typeof given !== "string") return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}
