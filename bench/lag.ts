import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { TableClient } from "@azure/data-tables";
import { QueueClient } from "@azure/storage-queue";
import { productAt, simulatorAt } from "../local/start/product.js";
import { startHost, tableName } from "./host.js";
import { latencies, type Surroundings, startSurroundings } from "./surroundings.js";

/**
 * `npm run bench:lag`: how long after an edit in Graph its row stands in the table, and other programs are told. Ticks
 * come by the app's own timer; edits come at even distances over several ticks. The most that can be hoped for is half
 * an interval at the median and a whole one at the 99th percentile, for Graph has no push for calendar lists.
 */
const { values } = parseArgs({
  options: {
    mailboxes: { type: "string", default: "500" },
    interval: { type: "string", default: "10" },
    edits: { type: "string", default: "300" },
    latency: { type: "string", default: "azure" },
    json: { type: "boolean", default: false },
  },
});
const ticksEdited = 6;
const pollMs = 50;
const settleMsMax = 120_000;
const editedName = "edited by the bench";

const seconds = Number(values.interval);
const edits = Math.min(Number(values.edits), Number(values.mailboxes));
if (!(Number.isInteger(seconds) && seconds >= 1 && 60 % seconds === 0 && edits >= 1)) {
  throw new Error("--interval is in seconds and divides a minute; --edits and --mailboxes are whole numbers from 1.");
}
const latency = latencies.find(({ name }) => name === values.latency);
if (latency === undefined) throw new Error(`--latency is zero or azure, not "${values.latency}".`);

const around = await startSurroundings({ mailboxes: Number(values.mailboxes), calendars: 25, latency }, null);
try {
  const host = await startHost(around, appOf(seconds), () => undefined);
  try {
    report(await measure(around, host.url));
  } finally {
    await host.child.stop();
  }
} finally {
  await around.stop();
}

function appOf(intervalSeconds: number) {
  const settings = { SYNC_SCHEDULE: `*/${intervalSeconds} * * * * *` };
  return { appDir: join(import.meta.dirname, ".."), settings, profileDir: null };
}

type Lags = { readonly rows: readonly number[]; readonly nudges: readonly number[] };

async function measure({ graphUrl, azurite }: Surroundings, hostUrl: string): Promise<Lags> {
  const product = productAt(hostUrl);
  const mailboxes = await simulatorAt(graphUrl).mailboxes();
  const ids = mailboxes.map(({ id }) => id);
  await product.addMailboxes(mailboxes);
  process.stderr.write("first sync\n");
  const deadlineMs = Date.now() + settleMsMax;
  while ((await product.status()).mailboxes.byState.fresh < ids.length) {
    if (Date.now() > deadlineMs) throw new Error("The mailboxes do not become fresh.");
    await sleep(1_000);
  }
  const nudges = followNudges(azurite.connectionString);
  await nudges.drained();
  const edited = new Map<string, number>();
  const gapMs = (ticksEdited * seconds * 1_000) / edits;
  process.stderr.write(`${edits} edits, one every ${Math.round(gapMs)} ms, ticks every ${seconds} s\n`);
  for (const mailboxId of ids.slice(0, edits)) {
    await rename(graphUrl, mailboxId);
    edited.set(mailboxId, Date.now());
    await sleep(gapMs);
  }
  const nudgedMs = await nudges.until([...edited.keys()], 3 * seconds * 1_000 + settleMsMax);
  const rowMs = await rowTimes(azurite.connectionString);
  const lagsOf = (times: ReadonlyMap<string, number>) =>
    [...edited].map(([mailboxId, atMs]) => (times.get(mailboxId) ?? Number.NaN) - atMs);
  return { rows: lagsOf(rowMs), nudges: lagsOf(nudgedMs) };
}

async function rename(graphUrl: string, mailboxId: string): Promise<void> {
  const truth = await fetch(`${graphUrl}/_control/truth/${mailboxId}`);
  const { value } = (await truth.json()) as { value: { id: string }[] };
  const edit = { edit: "rename", mailboxId, calendarId: value[0]?.id, name: editedName };
  const response = await fetch(`${graphUrl}/_control/edits`, { method: "POST", body: JSON.stringify(edit) });
  if (!response.ok) throw new Error(`The simulator refused the edit: ${await response.text()}`);
  await response.arrayBuffer();
}

/** When the rows of the edited calendars were written, by the table's own clock, which is this machine's. */
async function rowTimes(connectionString: string): Promise<ReadonlyMap<string, number>> {
  const table = TableClient.fromConnectionString(connectionString, tableName, { allowInsecureConnection: true });
  const queryOptions = { filter: `name eq '${editedName}'` };
  const times = new Map<string, number>();
  for await (const { mailboxId, timestamp } of table.listEntities<{ mailboxId: string }>({ queryOptions })) {
    times.set(mailboxId, Date.parse(timestamp ?? ""));
  }
  return times;
}

/** Takes nudges as other programs do, and notes when each mailbox's last one came. */
function followNudges(connectionString: string) {
  const queue = new QueueClient(connectionString, "calendar-changes");
  const take = async (): Promise<readonly string[]> => {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    for (const { messageId, popReceipt } of receivedMessageItems) await queue.deleteMessage(messageId, popReceipt);
    return receivedMessageItems.map(({ messageText }) => {
      return (JSON.parse(Buffer.from(messageText, "base64").toString("utf8")) as { mailbox: string }).mailbox;
    });
  };
  const cameMs = new Map<string, number>();
  let isStopped = false;
  let following: Promise<void> | undefined;
  const follow = async () => {
    while (!isStopped) {
      const mailboxes = await take();
      const nowMs = Date.now();
      for (const mailbox of mailboxes) cameMs.set(mailbox, nowMs);
      if (mailboxes.length === 0) await sleep(pollMs);
    }
  };
  return {
    /** What the first sync has told is taken away; from then on, times are noted. */
    async drained() {
      for (let taken = await take(); taken.length > 0; ) taken = await take();
      following = follow();
    },
    async until(mailboxIds: readonly string[], msMax: number): Promise<ReadonlyMap<string, number>> {
      const deadlineMs = Date.now() + msMax;
      while (!mailboxIds.every((id) => cameMs.has(id))) {
        if (Date.now() > deadlineMs) throw new Error("Nudges are missing.");
        await sleep(pollMs);
      }
      isStopped = true;
      await following;
      return cameMs;
    },
  };
}

function report({ rows, nudges }: Lags): void {
  const at = (lags: readonly number[], share: number) => {
    const sorted = [...lags].sort((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  };
  const of = (lags: readonly number[]) => ({ p50Ms: at(lags, 0.5), p99Ms: at(lags, 0.99) });
  const told = { intervalSeconds: seconds, latency: values.latency, edits, row: of(rows), nudge: of(nudges) };
  if (values.json) {
    console.log(JSON.stringify(told));
    return;
  }
  console.log(`${edits} edits in ${values.mailboxes} mailboxes, a tick every ${seconds} s, latency ${values.latency}`);
  console.log(`  edit to row    p50 ${told.row.p50Ms} ms  p99 ${told.row.p99Ms} ms`);
  console.log(`  edit to nudge  p50 ${told.nudge.p50Ms} ms  p99 ${told.nudge.p99Ms} ms`);
}
