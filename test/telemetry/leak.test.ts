import { InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { AggregationTemporality, InMemoryMetricExporter } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAULT_KINDS, type FaultKind, type FaultRule } from "../../local/graph/faults.js";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { type GraphServer, startGraphServer } from "../../local/graph/server.js";
import { parsePageMessage, parseRoundsMessage } from "../../shared/messages.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { withSpan } from "../../shared/telemetry/invocation.js";
import { createOpenTelemetry } from "../../shared/telemetry/openTelemetry.js";
import { pagesAttributes, runAttributes, runPoints } from "../../shared/telemetry/runTelemetry.js";
import { shardRuns } from "../worlds/runs.js";

/** Rounds through each fault of the simulator, exported to memory: what is exported holds no secret. */

const token = "an-only-token-of-this-test";
let graph: GraphSimulator;
let server: GraphServer;
let trial: ReturnType<typeof shardRuns>;
const spans = new InMemorySpanExporter();
const points = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const resource = { "service.name": "mirror", "service.instance.id": "one" };
const telemetry = createOpenTelemetry({
  exporters: [{ spans, metrics: points }],
  resource,
  isSampled: false,
  nowMs: () => (nowMs += 60_000), // No flush is put off.
});
let nowMs = 0;

beforeAll(async () => {
  graph = createGraph({
    clock: { nowMs: () => Date.UTC(2026, 0, 1) },
    random: randomFrom(3),
    mailboxes: 6,
    calendars: 9,
  });
  server = await startGraphServer({ core: graph, token });
  trial = shardRuns(server.url, { token, telemetry, pageSize: 4, batchSize: 4 });
  await trial.ports.store.open();
  for (const id of graph.mailboxes.ids()) {
    for (const { id: calendarId, name } of graph.truth(id)) graph.renameCalendar(id, calendarId, `Private ${name}`);
    await addMailbox(id, {}, trial.ports.store, trial.ports.newId);
  }
});

afterAll(async () => {
  trial.transport.close();
  await server.close();
});

const rounds = withSpan<StorageQueueHandler>(
  async (body: unknown) => {
    const message = parseRoundsMessage(body);
    if ("discover" in message) throw new Error("Nothing is discovered here.");
    const end = await runRounds(message, trial.ports);
    telemetry.note(() => runAttributes(message.shard, end));
    telemetry.record(runPoints(message.shard, end));
    return end.pages;
  },
  async () => telemetry,
);
const pages = withSpan<StorageQueueHandler>(
  async (body: unknown) => {
    const message = parsePageMessage(body);
    const end = await applyPage(message, trial.ports);
    telemetry.note(() => pagesAttributes(message.mailbox, end));
    return end.next;
  },
  async () => telemetry,
);

const contextOf = (functionName: string) =>
  new InvocationContext({
    functionName,
    invocationId: "an-invocation",
    options: { trigger: { type: "queueTrigger", name: "queue" } },
  });

async function tick(): Promise<void> {
  const messages = (await rounds(trial.tick(), contextOf("runRounds"))) as readonly unknown[];
  for (const message of messages) {
    for (let next: unknown = message; next !== null; ) next = await pages(next, contextOf("applyPage"));
  }
  trial.advance(3_600_000 * 2);
}

/** What each of the world's mailboxes has that nobody may learn. */
function secretsOf(): readonly string[] {
  return graph.mailboxes.ids().flatMap((id) => {
    const calendars = graph.truth(id);
    const named = calendars.flatMap(({ name, owner }) => [name, owner.name, owner.address]);
    return [id, ...calendars.map((calendar) => calendar.id), ...named];
  });
}

const rules: readonly FaultRule[] = [
  ...FAULT_KINDS.map(
    (kind: FaultKind): FaultRule => ({ kind, count: 3, seconds: 1, latencyMs: 1, items: 2, pages: 1 }),
  ),
  ...(["host", "user", "emptyUser", "scheme", "longerPath"] as const).map(
    (form): FaultRule => ({ kind: "poisonedLink", form, count: 2 }),
  ),
  { kind: "unavailable", on: "batch", count: 2 },
  { kind: "throttled", on: "batch", count: 2 },
];

describe("I8: neither telemetry nor log holds a token, a link, a name or an address", () => {
  test("whatever Graph does", async () => {
    const secrets = new Set(secretsOf());
    await tick();
    for (const rule of rules) {
      graph.faults.add(rule);
      for (const id of graph.mailboxes.ids()) {
        graph.createCalendar(id, { name: `Secret plan ${rule.kind}` });
        for (const secret of secretsOf()) secrets.add(secret);
      }
      await tick();
      await tick();
      graph.faults.clear();
    }
    await telemetry.flush(() => undefined);
    const exported = exportedText();
    const injected = Object.values(graph.faults.injected()).filter((count) => count > 0);
    expect(injected.length).toBeGreaterThan(20);
    expect(spans.getFinishedSpans().length).toBeGreaterThan(100);
    expect(exported).toMatch(/"calendar_mirror\.mailbox":"[0-9a-f]{16}"/);

    const forbidden = [token, "skiptoken", "deltatoken", "://", "Bearer", "Private ", "Secret plan", ...secrets];
    expect(forbidden.filter((secret) => exported.includes(secret))).toEqual([]);
    // Operators look mailboxes up by what the log says: their ids may stand there, and nothing else of them.
    const logged = trial.logged.join("\n");
    const ids = new Set(graph.mailboxes.ids());
    expect(logged).toMatch(/Graph refused/);
    expect(forbidden.filter((secret) => !ids.has(secret) && logged.includes(secret))).toEqual([]);
  });

  test("nor the words of an error that was thrown", async () => {
    spans.reset();
    const fails = withSpan<StorageQueueHandler>(
      () => Promise.reject(new TypeError(`https://graph.microsoft.com/?$deltatoken=${token}`)),
      async () => telemetry,
    );
    await expect(fails({}, contextOf("runRounds"))).rejects.toThrow(TypeError);
    await telemetry.flush(() => undefined);
    const [span] = spans.getFinishedSpans();
    expect(span?.attributes["error.type"]).toBe("TypeError");
    expect(exportedText()).not.toContain("token");
  });
});

function exportedText(): string {
  const exported = spans.getFinishedSpans().map(({ name, attributes, status, events, links, resource: of }) => {
    return { name, attributes, status, events, links, resource: of.attributes };
  });
  return JSON.stringify([exported, points.getMetrics().map(({ scopeMetrics }) => scopeMetrics)]);
}
