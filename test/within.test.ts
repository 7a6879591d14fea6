import { EventEmitter, once } from "node:events";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { HttpRequest, InvocationContext } from "@azure/functions";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { identityCredential } from "../shared/azure/identity.js";
import { queueSenderOf } from "../shared/azure/queueSender.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { parseRoot } from "../shared/graph/links.js";
import { identityToken, steadyCredential } from "../shared/graph/token.js";
import { createTransport } from "../shared/graph/transport.js";
import { type HttpPorts, httpHandler } from "../shared/http/handler.js";
import { azureTable } from "../shared/table/azureTable.js";
import { azureMonitorExporters } from "../shared/telemetry/azureMonitor.js";
import { createFlush, flushLimits } from "../shared/telemetry/flush.js";
import { createOpenTelemetry, type Exporters } from "../shared/telemetry/openTelemetry.js";
import { otlpExporters } from "../shared/telemetry/otlp.js";
import { kept, within } from "../shared/within.js";
import { countingIds } from "./worlds/parts.js";
import { fixedToken, get, graphServer, openTransport } from "./worlds/scriptedGraph.js";

/**
 * SPEC's table "Every wait for others": each call of the product's own drivers against a server that accepts and never
 * answers, or goes on for ever. Time is ours (`setTimeout` alone), the connections are real.
 */

const secondMs = 1_000;
const unheard: unknown[] = [];
const onUnheard = (reason: unknown) => unheard.push(reason);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  unheard.length = 0;
  process.on("unhandledRejection", onUnheard);
});

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await new Promise<void>((resolve) => setImmediate(resolve)); // Node reports them once its queue of microtasks is empty.
  process.off("unhandledRejection", onUnheard);
  expect(unheard).toEqual([]);
});

/** Accepts connections; says `words` to a request, which may be nothing or half an answer, and waits for ever. */
async function silentServer(words: (request: number) => string = () => "") {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      if (!/^[A-Z]+ \//.test(data.toString("latin1"))) return; // A body.
      requests += 1;
      const said = words(requests);
      if (said !== "") socket.write(said);
      if (!said.includes("QueueNotFound")) server.emit("asked");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => once(server, "asked") };
}

/** How the work ended once the server has its request and the bound has passed. */
async function endOf<T>(work: () => Promise<T>, asked: () => Promise<unknown>, boundMs: number) {
  const arrived = asked();
  const end = Promise.allSettled([work()]);
  await arrived;
  await vi.advanceTimersByTimeAsync(boundMs);
  const [only] = await end;
  return only;
}

const key = Buffer.from("not a real key").toString("base64");
const storageAt = (url: string) =>
  ({
    kind: "connectionString",
    connectionString: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};TableEndpoint=${url}/a;QueueEndpoint=${url}/a`,
  }) as const;
const transportTo = (root: string) => {
  const transport = createTransport({ root: parseRoot(root).origin, token: fixedToken, newId: countingIds() });
  onTestFinished(() => transport.close());
  return transport;
};
const half = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"value":[';
const noQueue = "HTTP/1.1 404 Not Found\r\nx-ms-error-code: QueueNotFound\r\nContent-Length: 0\r\n\r\n";

const rows = (url: string) => azureTable(tableClientOf(storageAt(url), "t", null));
async function firstPage(url: string) {
  for await (const page of rows(url).pages("00", { after: "a", upTo: "b" }, 10)) return page;
  return null;
}
const create = { kind: "create", rowKey: "r", columns: {} } as const;
const timedOut = { status: "rejected", reason: { name: "StorageError", status: null } };
const forEver = () => new Promise<never>(() => undefined);
const queueTimedOut = { status: "rejected", reason: { name: "QueueError", code: "timeout" } };
const graphTimedOut = {
  status: "fulfilled",
  value: { kind: "fault", failure: { kind: "transient", code: "timeout" } },
};

type Wait = {
  readonly call: string;
  readonly boundMs: number;
  readonly ask: (url: string) => Promise<unknown>;
  readonly end: object;
  readonly words?: (request: number) => string;
};

const waits: readonly Wait[] = [
  {
    call: "a call of Graph",
    boundMs: 100 * secondMs,
    ask: (url) => transportTo(url).send(get("/x")),
    end: graphTimedOut,
  },
  {
    call: "a body of Graph that stalls half-way",
    boundMs: 100 * secondMs,
    ask: (url) => transportTo(url).send(get("/x")),
    end: graphTimedOut,
    words: () => half,
  },
  { call: "a row of the table", boundMs: 90 * secondMs, ask: (url) => rows(url).get("00", "r"), end: timedOut },
  {
    call: "a row that stalls half-way",
    boundMs: 90 * secondMs,
    ask: (url) => rows(url).get("00", "r"),
    end: timedOut,
    words: () => half,
  },
  { call: "a query's page", boundMs: 90 * secondMs, ask: firstPage, end: timedOut },
  { call: "a transaction", boundMs: 90 * secondMs, ask: (url) => rows(url).transact("00", [create]), end: timedOut },
  { call: "the making of the table", boundMs: 90 * secondMs, ask: (url) => rows(url).createIfMissing(), end: timedOut },
  {
    call: "a nudge",
    boundMs: 30 * secondMs,
    ask: (url) => queueSenderOf(storageAt(url), "q", null, Date.now)(() => undefined)({ mailbox: "m", sequence: 1 }),
    end: queueTimedOut,
  },
  {
    call: "the making of a queue that was found missing",
    boundMs: 30 * secondMs,
    ask: (url) => queueSenderOf(storageAt(url), "q", null, Date.now)(() => undefined)({ mailbox: "m", sequence: 1 }),
    end: queueTimedOut,
    words: (request) => (request === 1 ? noQueue : ""),
  },
];

describe("I7: every wait for others ends by our own bound", () => {
  test.each(waits)("$call", { timeout: 20_000 }, async ({ ask, boundMs, end, words = () => "" }) => {
    const { url, asked } = await silentServer(words);
    expect(await endOf(() => ask(url), asked, boundMs)).toMatchObject(end);
  });

  test("a call of Graph, and one of the table, by clients that heed no signal", { timeout: 20_000 }, async () => {
    const heedless = { sendRequest: forEver };
    const options = { root: "https://graph.microsoft.com", token: fixedToken, newId: countingIds() };
    const graph = createTransport({ ...options, httpClient: heedless }).send(get("/x"));
    await vi.advanceTimersByTimeAsync(100 * secondMs);
    expect(await graph).toMatchObject(graphTimedOut.value);
    const client = tableClientOf(storageAt("http://127.0.0.1:1"), "t", null);
    client.pipeline.addPolicy({ name: "heedless", ...heedless });
    const table = azureTable(client);
    const row = Promise.allSettled([table.get("00", "r"), table.transact("00", [create]), table.createIfMissing()]);
    await vi.advanceTimersByTimeAsync(90 * secondMs);
    const silent = { ...timedOut, reason: { ...timedOut.reason, code: "timeout" } };
    expect(await row).toMatchObject([silent, silent, silent]);
  });

  test("an HTTP request of a reader", async () => {
    const context = new InvocationContext({ functionName: "status", invocationId: "i", logHandler: () => undefined });
    const request = new HttpRequest({ method: "GET", url: "http://127.0.0.1/api/status" });
    const handler = httpHandler(
      forEver,
      async () => ({}) as HttpPorts,
      () => 0,
    );
    const answered = handler(request, context);
    await vi.advanceTimersByTimeAsync(200 * secondMs);
    expect(await answered).toMatchObject({
      status: 503,
      headers: { "retry-after": "30" },
      jsonBody: { error: { code: "serviceNotAvailable", message: "The mirror took too long." } },
    });
  });

  test("a receiver of telemetry: an invocation waits two seconds, and after a minute the next sending begins", async () => {
    const troubles = new Set<string>();
    const clock = { ms: 0 };
    let sendings = 0;
    const send = () => {
      sendings += 1;
      return forEver();
    };
    const flush = createFlush({ send, troubles, nowMs: () => clock.ms });
    const passing = async (ms: number) => {
      clock.ms += ms;
      await vi.advanceTimersByTimeAsync(ms);
    };
    const first = flush(() => undefined);
    await passing(flushLimits.waitMsMax);
    await first;
    await passing(flushLimits.sendMsMax - flushLimits.waitMsMax - 1);
    await flush(() => undefined);
    expect(sendings).toBe(1);
    await passing(1);
    void flush(() => undefined);
    expect(sendings).toBe(2);
    expect([...troubles]).toEqual(["tooSlow"]);
    await passing(flushLimits.sendMsMax);
  });

  /** The end of an invocation that has something to export. */
  async function invocationEnd(exporters: Exporters, asked: () => Promise<unknown>) {
    const resource = { "service.name": "mirror", "service.instance.id": "one" };
    const telemetry = createOpenTelemetry({ exporters: [exporters], resource, isSampled: false, nowMs: () => 0 });
    await telemetry.span("runRounds", { kind: "internal", attributes: {} }, async () => undefined);
    return endOf(() => telemetry.flush(() => undefined), asked, flushLimits.waitMsMax);
  }

  test("an exporter to OTLP", { timeout: 20_000 }, async () => {
    const { url, asked } = await silentServer();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    expect(await invocationEnd(otlpExporters(), asked)).toMatchObject({ status: "fulfilled" });
    await vi.advanceTimersByTimeAsync(flushLimits.sendMsMax);
  });

  test("an exporter to Application Insights", { timeout: 20_000 }, async () => {
    vi.stubEnv("APPLICATION_INSIGHTS_NO_STATSBEAT", "true");
    const wire = new EventEmitter();
    const sendRequest = () => {
      wire.emit("asked");
      return forEver(); // Whatever signal it is given.
    };
    const exporters = azureMonitorExporters(`InstrumentationKey=${countingIds()()}`, null, { sendRequest });
    expect(await invocationEnd(exporters, () => once(wire, "asked"))).toMatchObject({ status: "fulfilled" });
    await vi.advanceTimersByTimeAsync(flushLimits.sendMsMax);
  });
});

describe("a managed identity, as the library has it", () => {
  /** One for all tests: the library reads the address once in a process. */
  const identity = { answer: "silence" as "silence" | "token", asked: 0, sockets: new Set<Socket>() };
  const server = http.createServer((_request, response) => {
    identity.asked += 1;
    server.emit("asked");
    if (identity.answer === "silence") return;
    const expiresOn = Math.floor(Date.now() / 1_000) + 86_400;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ access_token: `token-${identity.asked}`, expires_on: String(expiresOn), token_type: "Bearer" }),
    );
  });
  server.on("connection", (socket) => {
    identity.sockets.add(socket);
    socket.on("close", () => identity.sockets.delete(socket));
  });

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    process.env["IDENTITY_ENDPOINT"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
    process.env["IDENTITY_HEADER"] = "header";
  });

  afterAll(() => {
    delete process.env["IDENTITY_ENDPOINT"];
    delete process.env["IDENTITY_HEADER"];
    server.closeAllConnections();
    server.close();
  });

  const managed = () =>
    identityCredential({ isInAzure: true, authorityHost: "https://login.microsoftonline.com", clientId: null });
  const asked = () => once(server, "asked");
  const scope = "https://graph.microsoft.com/.default";
  const storageScope = "https://storage.azure.com/.default";
  const ports = () => ({ clock: { nowMs: () => Date.now() }, onTrouble: () => undefined });
  const silent = { status: "rejected", reason: { message: "The identity did not answer within 60 s." } };

  test("I7: that accepts and never answers costs a minute; what hangs is forgotten, and its socket let go", async () => {
    identity.answer = "silence";
    const graph = identityToken(managed(), scope, ports());
    const storage = steadyCredential(managed(), ports());
    expect(await endOf(() => graph.getToken(), asked, 60 * secondMs)).toMatchObject(silent);
    expect(await endOf(() => graph.getToken(), asked, 60 * secondMs)).toMatchObject(silent); // A request of its own.
    expect(await endOf(() => storage.getToken(storageScope), asked, 60 * secondMs)).toMatchObject(silent);
    while (identity.sockets.size > 0) await once([...identity.sockets][0] as Socket, "close");
    identity.answer = "token";
    expect(await graph.getToken()).toMatch(/^token-/);
    expect(await storage.getToken(storageScope)).toMatchObject({ token: expect.stringMatching(/^token-/) });
  });

  test("gives the token that was refused once more: Graph is not asked a second time with it", async () => {
    identity.answer = "token";
    const claims = Buffer.from('{"access_token":{}}').toString("base64");
    const answers = [{ status: 401 }, { status: 401, headers: { "www-authenticate": `Bearer claims="${claims}"` } }];
    const { root, received } = await graphServer((_, count) => answers[count - 1] ?? { status: 200 });
    const transport = openTransport(root, { token: identityToken(managed(), scope, ports()) });
    for (const { status } of answers) {
      expect(await transport.send(get("/beta/a"))).toMatchObject({ answer: { status }, requests: 1 });
    }
    expect(new Set(received.map(({ headers }) => headers.authorization)).size).toBe(1);
  });
});

describe("what is waited for", () => {
  test("is handed on when it comes in time, be it a value or an error", async () => {
    const late = () => new Error("late");
    expect(await within(secondMs, late, async () => 7)).toBe(7);
    await expect(within(secondMs, late, () => Promise.reject(new Error("theirs")))).rejects.toThrow("theirs");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is dropped when it comes late, and its signal was aborted", async () => {
    const signals: AbortSignal[] = [];
    let fail: (error: Error) => void = () => undefined;
    const waiting = Promise.allSettled([
      within(
        secondMs,
        () => new Error("late"),
        (signal) => {
          signals.push(signal);
          return new Promise((_resolve, reject) => {
            fail = reject;
          });
        },
      ),
    ]);
    await vi.advanceTimersByTimeAsync(secondMs);
    expect(await waiting).toMatchObject([{ reason: { message: "late" } }]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    fail(new Error("nobody waits for it")); // Nothing is reported of it: see afterEach.
  });

  test("is made once and kept, but not when it could not be made", async () => {
    let makings = 0;
    const thing = kept(async () => {
      makings += 1;
      if (makings < 3) throw new Error("not yet");
      return makings;
    });
    expect(await Promise.allSettled([thing(), thing()])).toMatchObject([
      { status: "rejected" },
      { status: "rejected" },
    ]);
    await expect(thing()).rejects.toThrow("not yet");
    expect([await thing(), await thing()]).toEqual([3, 3]);
  });
});
