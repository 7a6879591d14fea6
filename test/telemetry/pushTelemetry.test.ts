import { AggregationTemporality, InMemoryMetricExporter } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";
import { LogTimes } from "../../shared/push/behind.js";
import { deliver } from "../../shared/push/deliver.js";
import { seeSubscribers } from "../../shared/push/due.js";
import { SharedLogs } from "../../shared/push/sharedLogs.js";
import { logKey } from "../../shared/store/keys.js";
import { mailboxHash } from "../../shared/telemetry/mailboxHash.js";
import { createOpenTelemetry } from "../../shared/telemetry/openTelemetry.js";
import {
  acceptedPoints,
  deliveryAttributes,
  subscriberPoints,
  tracedSend,
} from "../../shared/telemetry/pushTelemetry.js";
import type { Point } from "../../shared/telemetry/telemetry.js";
import { minuteMs } from "../worlds/parts.js";
import { entryOf, type PushWorld, pushWorld, refused, yes } from "../worlds/push.js";

const other = "3f0c0000-0000-4000-8000-0000000000d2";

/** What the timer reports. */
async function reported(world: PushWorld): Promise<readonly Point[]> {
  const seen = await seeSubscribers(world.store, new SharedLogs(world.clock.nowMs), world.clock.ms);
  return subscriberPoints(seen, world.store, new LogTimes(), world.clock.ms);
}
const gauges = (lag: number, active: number, waiting: number, paused: number) => [
  { metric: "calendar_mirror.subscriber_lag", value: lag },
  ...Object.entries({ active, waiting, paused }).map(([state, value]) => {
    return { metric: "calendar_mirror.subscribers", value, state };
  }),
];

test("the timer tells how long the one that is most behind has waited, and how many stand how", async () => {
  const world = await pushWorld({ shards: 2 });
  expect(await reported(world)).toEqual([]); // Where there is none, nothing.
  const id = await world.subscribe();
  await world.subscribe({ subscriptionId: other, notificationUrl: "https://other.example" });
  expect(await reported(world)).toEqual(gauges(0, 2, 0, 0));
  await world.tell([entryOf("m")]);
  world.receive = ({ url }) => (url === "https://other.example" ? yes : refused(503));
  for (const one of [id, other]) await world.deliver(one);
  world.clock.ms += 5_000;
  await world.tell([entryOf("m")], "01");
  await world.deliver(other);
  expect(await reported(world)).toEqual(gauges(5, 1, 1, 0));
  world.clock.ms += 60 * minuteMs;
  expect(await reported(world)).toEqual(gauges(3_605, 2, 0, 0));
});

test("whoever is paused makes nobody late, and neither does a row that nobody can read", async () => {
  const world = await pushWorld();
  await world.subscribe({ pausedReason: "byHand" });
  await world.tell([entryOf("m")]);
  world.clock.ms += minuteMs;
  expect(await reported(world)).toEqual(gauges(0, 0, 0, 1));
  await world.subscribe({ subscriptionId: other });
  expect(await reported(world)).toEqual(gauges(60, 1, 0, 1));
  const rowKey = logKey(1);
  await world.table.transact("00", [{ kind: "upsert", rowKey, columns: { at: "never" } }]);
  expect(await reported(world)).toEqual(gauges(0, 1, 0, 1));
});

test("I8: a delivery's span and counts name its subscription by hash, and no address, path or secret", async () => {
  const spans = new InMemorySpanExporter();
  const points = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const telemetry = createOpenTelemetry({
    exporters: [{ spans, metrics: points }],
    resource: { "service.name": "mirror", "service.instance.id": "one" },
    isSampled: false,
    nowMs: () => 60_000,
  });
  const world = await pushWorld();
  const id = await world.subscribe({ notificationUrl: "https://receiver.example/hook?code=secret" });
  for (let row = 0; row < 5; row++) await world.tell([entryOf("a-mailbox", "a-calendar")]);
  const replies = [
    refused(503),
    { outcome: { kind: "unreachable", code: "ECONNREFUSED" }, keeps: false } as const,
    { outcome: { kind: "forbidden", why: "receiver.example is 10.0.0.1" }, keeps: false } as const,
    yes,
  ];
  world.receive = () => replies.shift() ?? yes;
  while (replies.length > 0) {
    const ports = world.ports();
    const wire = { ...ports.wire, send: tracedSend(ports.wire.send, telemetry) };
    const onAccepted = (count: number) => telemetry.record(acceptedPoints(count));
    await telemetry.span("deliver", { kind: "internal", attributes: {} }, async () => {
      const ends = [{ ...(await deliver(id, { ...ports, wire, onAccepted })), subscriptionId: id }];
      telemetry.note(() => deliveryAttributes(ends));
    });
    world.clock.ms += 60 * minuteMs;
  }
  await telemetry.flush(() => undefined);
  const finished = spans.getFinishedSpans();
  const sent = finished.filter(({ name }) => name === "subscriber request").map(({ attributes }) => attributes);
  const post = { "http.request.method": "POST" };
  expect(sent).toEqual([
    { ...post, "calendar_mirror.outcome": "refused", "http.response.status_code": 503, "error.type": "503" },
    { ...post, "calendar_mirror.outcome": "unreachable", "error.type": "ECONNREFUSED" },
    { ...post, "calendar_mirror.outcome": "forbidden", "error.type": "forbidden" },
    { ...post, "calendar_mirror.outcome": "accepted", "http.response.status_code": 202 },
  ]);
  expect(
    finished
      .filter(({ name }) => name === "deliver")
      .map(({ attributes }) => attributes)
      .at(-1),
  ).toEqual({
    ...{ "calendar_mirror.subscription": mailboxHash(id), "calendar_mirror.outcome": "upToDate" },
    ...{ "calendar_mirror.subscriptions": 1, "calendar_mirror.requests": 1, "calendar_mirror.notifications": 5 },
  });
  const metrics = points.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const countsOf = (name: string) =>
    metrics
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes["outcome"], value]));
  expect(countsOf("calendar_mirror.notifications")).toEqual([[undefined, 5]]);
  expect(countsOf("calendar_mirror.subscriber_requests").sort()).toEqual([
    ...[
      ["accepted", 1],
      ["forbidden", 1],
      ["refused", 1],
      ["unreachable", 1],
    ],
  ]);
  const exported = JSON.stringify([
    finished.map(({ name, attributes, status }) => ({ name, attributes, status })),
    metrics,
  ]);
  expect(exported).not.toMatch(new RegExp(`secret|receiver|10\\.0|a-mailbox|a-calendar|${id}|:\\/\\/`));
});
