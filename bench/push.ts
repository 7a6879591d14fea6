import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { startAzurite } from "../local/azurite.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { mapAtOnce } from "../shared/mapAtOnce.js";
import { type DeliverPorts, deliver, deliverLimits } from "../shared/push/deliver.js";
import { dueSubscriptions } from "../shared/push/due.js";
import { createWire } from "../shared/push/wire.js";
import { logKey, shardNames, shardOf, shardRowKey } from "../shared/store/keys.js";
import { logColumns } from "../shared/store/logRow.js";
import { shardRowColumns } from "../shared/store/shardRow.js";
import { createStore } from "../shared/store/store.js";
import type { LogEntry } from "../shared/sync/changeLog.js";
import { newSubscription } from "../shared/sync/subscription.js";
import { azureTable } from "../shared/table/azureTable.js";

/**
 * `npm run bench:push`: what a tick costs in which one in a hundred of 10,000 mailboxes has changed, with 100 subscribers to all of them:
 * until all have all, and how many requests that takes. Real: Azurite, the sender, receivers on this machine, signatures. In the place of the
 * queue stand 16 deliveries at a time, as in host.json. Then the same with one among them that takes requests and never answers.
 */
const { values } = parseArgs({
  options: { subscribers: { type: "string", default: "100" }, rounds: { type: "string", default: "3" } },
});
const subscribers = Number(values.subscribers);
const shards = shardNames(16);
const changed = 100;
/** As in host.json. */
const deliveriesAtOnce = 16;

const wire = createWire({
  ...{ hosts: null, allowsLoopback: true, tenantId: null, origin: "localhost" },
  nowMs: () => Date.now(),
});
const azurite = await startAzurite();
const { connectionString } = azurite;
let ids = 0;
const newId = () => `3f0c0000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;

/** Takes notifications by address; the dead one takes the request, and is silent. */
const got = new Map<string, number>();
let requests = 0;
const server = createServer(async (request, response) => {
  const body = JSON.parse(await text(request)) as { value: readonly unknown[] };
  const path = request.url ?? "";
  if (path === "/dead") return;
  requests += 1;
  got.set(path, (got.get(path) ?? 0) + body.value.length);
  response.writeHead(202).end();
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const hasDead of [false, true]) await measure(round, hasDead);
  }
} finally {
  server.close();
  server.closeAllConnections();
  await azurite.stop();
}

async function measure(round: number, hasDead: boolean): Promise<void> {
  const name = `push${round}${hasDead ? "dead" : "well"}`;
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, name, null));
  const store = createStore({ table, shards: shards.length, newCommitId: newId });
  await store.open();
  const paths = Array.from({ length: subscribers }, (_, index) => (hasDead && index === 7 ? "/dead" : `/${index}`));
  for (const path of paths) await store.writeSubscription(subscription(path), null);
  const byShard = new Map<string, LogEntry[]>();
  for (let index = 0; index < changed; index++) {
    const mailboxId = newId();
    const shard = shardOf(mailboxId, shards.length);
    byShard.set(shard, [...(byShard.get(shard) ?? []), entryOf(mailboxId)]);
  }
  for (const [shard, entries] of byShard) {
    const row = shardRowColumns({ run: null, log: { number: 1, nudgedNumber: 1 } });
    await table.transact(shard, [
      { kind: "upsert", rowKey: shardRowKey, columns: row },
      { kind: "create", rowKey: logKey(1), columns: logColumns(Date.now(), entries) },
    ]);
  }
  got.clear();
  requests = 0;
  const before = store.transactions();
  const startMs = performance.now();
  let doneMs = 0;
  const due = await dueSubscriptions(store, Date.now());
  await mapAtOnce(due, deliveriesAtOnce, async (id) => {
    const { kind } = await deliver(id, ports(store));
    if (kind === "upToDate") doneMs = performance.now() - startMs;
  });
  const living = paths.filter((path) => path !== "/dead");
  const whole = living.filter((path) => got.get(path) === changed).length;
  console.log(
    `${hasDead ? "one of them dead" : "all well        "}: ${whole} of ${living.length} have all after ` +
      `${(doneMs / 1000).toFixed(2)} s, ${requests} requests to them, ${store.transactions() - before} to the table`,
  );
}

function ports(store: DeliverPorts["store"]): DeliverPorts {
  return {
    clock: { nowMs: () => Date.now() },
    random: { next: () => Math.random() },
    newId,
    store,
    wire,
    log: () => undefined,
    limits: deliverLimits,
  };
}

function subscription(path: string) {
  const nowMs = Date.now();
  return newSubscription({
    ...{ subscriptionId: newId(), mailboxId: null, resource: "users/getAllCalendars" },
    changeTypes: ["created", "updated", "deleted"],
    ...{ notificationUrl: `${origin}${path}`, lifecycleNotificationUrl: null, clientState: "state" },
    ...{ latestSupportedTlsVersion: null, format: "graph", secret: Buffer.alloc(32, 7).toString("base64") },
    ...{ createdMs: nowMs, expiresMs: nowMs + 86_400_000 },
    position: Object.fromEntries(shards.map((shard) => [shard, { number: 0, entries: 0, sent: 0 }])),
  });
}

function entryOf(mailboxId: string): LogEntry {
  const calendarId = Buffer.from(mailboxId.repeat(3)).toString("base64");
  const change = {
    kind: "created",
    sequence: 2,
    calendarId,
    name: "Calendar",
    owner: "adele@contoso.example",
  } as const;
  return { mailboxId, epoch: "epoch", from: 1, to: 2, event: null, changes: [change], leftOut: 0 };
}
