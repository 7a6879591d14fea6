import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { metrics } from "../../shared/telemetry/metrics.js";
import { type Product, startProduct } from "../worlds/product.js";
import { type ReceivedSpan, type Receiver, startReceiver } from "./receiver.js";

/** The built app in a real host process, which reports to a real OTLP receiver. */

const mailboxes = 30;
/** Their time may come while the test runs. */
const timers = ["discoverMailboxes", "retireTombstones", "startDeliveries"];
let receiver: Receiver;
let product: Product;

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startProduct({
    mailboxes,
    calendars: 70, // More than a page: page messages follow.
    settings: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    },
  });
  await product.add();
  await product.tick();
  const isEnded = ({ name, attributes }: ReceivedSpan) =>
    name === "applyPage" && attributes["calendar_mirror.outcome"] === "roundEnded";
  await receiver.until(() => receiver.spans.filter(isEnded).length === mailboxes);
  await receiver.until(() => receiver.points.some(({ metric }) => metric === "calendar_mirror.parked"));
});

afterAll(async () => {
  await product?.stop();
  await receiver?.close();
});

const named = (name: string) => receiver.spans.filter((span) => span.name === name);
const parentOf = (span: ReceivedSpan) => receiver.spans.find(({ spanId }) => spanId === span.parentSpanId);

describe("spans", () => {
  test("there is one for each invocation, below the host's own", () => {
    const [tick] = named("startRounds");
    expect(tick).toMatchObject({ kind: 1, attributes: { "faas.name": "startRounds" } });
    expect(named("runRounds").length).toBeGreaterThanOrEqual(4); // One for each shard.
    for (const span of [...named("startRounds"), ...named("runRounds"), ...named("applyPage")]) {
      expect(span.parentSpanId).toMatch(/^[0-9a-f]{16}$/);
      expect(parentOf(span)).toBeUndefined(); // The host reports that one.
    }
    const { attributes } = named("runRounds")[0] as ReceivedSpan;
    expect(attributes).toMatchObject({ "faas.trigger": "pubsub", "calendar_mirror.outcome": "done" });
  });

  test("Graph calls and transactions are children of the invocation that made them, in its trace", () => {
    const children = [...named("graph batch"), ...named("graph page"), ...named("table transaction")];
    expect(named("graph batch")).not.toEqual([]);
    expect(named("graph page")).not.toEqual([]);
    expect(named("table transaction")).not.toEqual([]);
    for (const span of children) {
      const parent = parentOf(span);
      expect(parent?.traceId).toBe(span.traceId);
      expect(["runRounds", "applyPage", "mailboxEdit", ...timers]).toContain(parent?.name);
    }
  });

  test("a batch has its items, a page its mailbox by hash, a transaction its units", () => {
    expect(named("graph batch")[0]?.attributes).toMatchObject({
      "http.request.method": "POST",
      "http.response.status_code": 200,
      "calendar_mirror.throttled_items": 0,
    });
    const items = named("graph batch").map(({ attributes }) => Number(attributes["calendar_mirror.batch_items"]));
    expect(items.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(mailboxes);
    const hashes = named("graph page").map(({ attributes }) => attributes["calendar_mirror.mailbox"]);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(named("table transaction").map(({ attributes }) => attributes["calendar_mirror.outcome"])).toContain("done");
    expect(named("applyPage")[0]?.attributes["calendar_mirror.pages"]).toBeGreaterThan(0);
  });

  test("names are few, whatever the number of mailboxes", () => {
    const names = new Set(receiver.spans.map(({ name }) => name));
    const few = [
      "startRounds",
      "runRounds",
      "applyPage",
      "mailbox",
      "mailboxEdit",
      "graph batch",
      "graph page",
      "table transaction",
      ...timers,
    ];
    expect([...names].filter((name) => !few.includes(name))).toEqual([]);
  });

  test("the resource names the service and its process", () => {
    expect(receiver.resources[0]).toMatchObject({
      "service.name": "calendar-mirror",
      "service.version": "0.1.0",
      "deployment.environment.name": "test",
    });
    expect(receiver.resources[0]?.["service.instance.id"]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("metrics", () => {
  test("all have the names, kinds and units of the table, and no dimension but the shard", () => {
    const known = Object.entries(metrics).map(([metric, { kind, unit }]) => `${metric} ${kind} ${unit}`);
    const reported = new Set(receiver.points.map(({ metric, kind, unit }) => `${metric} ${kind} ${unit}`));
    expect([...reported].filter((each) => !known.includes(each))).toEqual([]);
    for (const { kind, attributes } of receiver.points) {
      expect(Object.keys(attributes)).toEqual(kind === "gauge" ? ["shard"] : []);
    }
  });

  test("gauges show how each shard stands", async () => {
    await product.countedTick(); // To its end: what follows edits mailboxes that nobody may be asking about.
    const shardsWith = (metric: string) =>
      new Set(receiver.points.filter((point) => point.metric === metric).map(({ attributes }) => attributes["shard"]));
    await receiver.until(() => shardsWith("calendar_mirror.fresh_share").size === 4);
    const shares = receiver.points.filter(({ metric }) => metric === "calendar_mirror.fresh_share");
    for (const { value } of shares) expect(value >= 0 && value <= 1).toBe(true);
    expect(shardsWith("calendar_mirror.brake").size).toBe(4);
    const brakes = receiver.points.filter(({ metric }) => metric === "calendar_mirror.brake");
    expect(brakes.map(({ value }) => value)).not.toContain(1);
  });
});

test("a receiver that refuses everything costs no invocation its success", async () => {
  receiver.state.status = 500;
  for (let edit = 0; edit < 20; edit++) product.graph.editAtRandom();
  expect(await product.different()).not.toEqual([]);
  const before = receiver.state.requests;
  await product.tick();
  await receiver.until(() => receiver.state.requests > before);
  await vi.waitFor(async () => expect(await product.different()).toEqual([]), { timeout: 150_000, interval: 200 });
});
