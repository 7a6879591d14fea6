import { describe, expect, test } from "vitest";
import type { Asked } from "../../shared/graph/client.js";
import type { Nudge } from "../../shared/messages.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { type Ports, runLimits } from "../../shared/rounds/ports.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { StorageError } from "../../shared/store/store.js";
import type { Item, Outcome } from "../../shared/sync/types.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { clockAt, runPorts, startMs } from "../worlds/parts.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

let drawn = 0;

const calendar = (id: string, name = id): Item => ({ calendarId: id, removed: false, properties: { id, name } });
const page = (...items: Item[]): Outcome => ({ kind: "page", items, link: `next-${++drawn}`, payloadHash: `${drawn}` });
const last = (...items: Item[]): Outcome => ({ kind: "lastPage", items, link: `delta-${++drawn}` });
const quiet = () => last();

/** Mailboxes in a table in memory, a Graph that answers what a test puts down, and a queue that a test can break. */
async function opened(mailboxes: readonly string[] = ["adele"]) {
  const table = memoryTable();
  const store = storeOn(table);
  await store.open();
  for (const mailbox of mailboxes) await addMailbox(mailbox, {}, store, () => `epoch-${mailbox}`);
  const answers = new Map<string, Outcome[]>();
  const queue: Nudge[] = [];
  const sent = { before: async (_nudge: Nudge): Promise<void> => undefined };
  const clock = clockAt(startMs);
  let ticks = 0;
  const ask = async (asks: readonly { readonly mailboxId: string }[]): Promise<Asked> => ({
    outcomes: asks.map(({ mailboxId }) => answers.get(mailboxId)?.shift() ?? quiet()),
    requests: 1,
    throttles: 0,
    brake: null,
  });
  const ports = runPorts({
    clock,
    random: { next: () => 0.5 },
    newId: () => `id-${++drawn}`,
    graph: { ask },
    store,
    nudge: async (nudge) => {
      await sent.before(nudge);
      queue.push(nudge);
    },
    log: () => undefined,
  });
  const says = (mailbox: string, ...outcomes: readonly Outcome[]) => answers.set(mailbox, [...outcomes]);
  const tick = async (changed: Partial<Ports> = {}) => {
    ticks += 1;
    clock.ms += 5 * 60_000;
    const end = await runRounds({ shard: "00", tick: `tick-${ticks}` }, { ...ports, ...changed });
    const pages = [];
    for (const message of end.pages) pages.push(await applyPage(message, { ...ports, ...changed }));
    return { end, pages };
  };
  const sequence = async (mailbox = "adele") => (await store.readMailbox(mailbox))?.checkpoint.sequence ?? 0;
  return { table, store, ports, queue, sent, says, tick, sequence };
}

describe("nudges", () => {
  test("one for each round with a change, with the sequence that can be read; I5: none for a round without", async () => {
    const { says, tick, queue } = await opened();
    says("adele", last(calendar("a"), calendar("b")));
    await tick();
    await tick();
    expect(queue).toEqual([{ mailbox: "adele", sequence: 2 }]);
    says("adele", last(calendar("a"), calendar("b")));
    await tick();
    expect(queue.length, "what Graph says again is no change").toBe(1);
    says("adele", last(calendar("a", "renamed")));
    await tick();
    await tick();
    expect(queue).toEqual([
      { mailbox: "adele", sequence: 2 },
      { mailbox: "adele", sequence: 3 },
    ]);
  });

  test("a round of several pages nudges once, at its end", async () => {
    const { says, tick, queue } = await opened();
    says("adele", page(calendar("a")), page(calendar("b")), last(calendar("c")));
    const { pages } = await tick();
    expect(pages).toMatchObject([{ kind: "roundEnded" }]);
    expect(queue).toEqual([{ mailbox: "adele", sequence: 3 }]);
  });

  test.each(["runRounds", "applyPage"])("%s sends one only when the change can be read", async (driver) => {
    const { says, tick, store, queue, sent } = await opened();
    sent.before = async ({ mailbox, sequence }) => {
      const readable = (await store.readMailbox(mailbox))?.checkpoint;
      expect(readable).toMatchObject({ sequence, phase: "idle", lastFullRoundMs: expect.any(Number) });
      expect((await store.readCalendars(mailbox)).map((row) => row.sequence)).toContain(sequence);
    };
    says("adele", ...(driver === "applyPage" ? [page(calendar("a"))] : []), last(calendar("b")));
    await tick();
    expect(queue.length).toBe(1);
  });

  test("a queue that cannot be reached costs time: the next tick sends what is missing", async () => {
    const { says, tick, queue, sent } = await opened(["adele", "alex"]);
    sent.before = () => Promise.reject(new Error("The queue is down."));
    says("adele", last(calendar("a")));
    says("alex", page(calendar("a")), last(calendar("b")));
    await tick().catch(() => undefined);
    expect(queue).toEqual([]);
    sent.before = async () => undefined;
    await tick();
    expect(new Set(queue.map(({ mailbox, sequence }) => `${mailbox} ${sequence}`))).toEqual(
      new Set(["adele 1", "alex 2"]),
    );
  });

  test("at least once: a process may end before, while or after it sends, and the nudge still comes", async () => {
    for (let dyingAt = 1; dyingAt <= 12; dyingAt++) {
      const { table, says, tick, queue } = await opened();
      let requests = 0;
      const dying = storeOn(
        interfered(table, {
          before: () => {
            requests += 1;
            if (requests >= dyingAt) throw new StorageError("any", "00", null, "The process ended.");
          },
        }),
      );
      says("adele", last(calendar("a")));
      await tick({ store: dying }).catch((error: unknown) => {
        if (!(error instanceof StorageError)) throw error;
      });
      says("adele", last(calendar("a"))); // What was not committed, Graph says again.
      await tick();
      await tick();
      expect(new Set(queue.map((nudge) => nudge.sequence)), `it ended at request ${dyingAt}`).toEqual(new Set([1]));
      expect(queue.length).toBeLessThanOrEqual(2);
    }
  });

  test("a first full round that is lost on its way nudges when a later one has ended, and not before", async () => {
    const { says, tick, queue } = await opened();
    const lost: Outcome = { kind: "resetSync", code: "SyncStateNotFound" };
    says("adele", page(calendar("a")), lost, { kind: "transient", code: "later", retryAfterMs: 60_000 });
    await tick();
    expect(queue, "until its first full round has ended, a mailbox cannot be read").toEqual([]);
    says("adele", last(calendar("a")));
    await tick();
    expect(queue).toEqual([{ mailbox: "adele", sequence: 1 }]);
  });

  test("many mailboxes that change at once are each announced once, and their audits still run", async () => {
    const mailboxes = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const { says, tick, queue, ports } = await opened(mailboxes);
    for (const mailbox of mailboxes) says(mailbox, last(calendar("a")));
    await tick();
    expect(queue.map(({ mailbox }) => mailbox).sort()).toEqual([...mailboxes].sort());
    for (const mailbox of mailboxes) says(mailbox, last(calendar("a", "renamed")), last(calendar("a", "renamed")));
    await tick({ auditMs: 1 });
    expect(queue.length).toBe(120);
    const held = await ports.store.readMailbox("m0");
    expect(held?.checkpoint).toMatchObject({ roundReason: "audit", sequence: 2, loggedSequence: 2 });
    await tick();
    expect(queue.length).toBe(120);
  });

  test("the sends in flight are bounded", async () => {
    const mailboxes = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const { says, tick, sent } = await opened(mailboxes);
    let inFlight = 0;
    let most = 0;
    sent.before = async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await Promise.resolve();
      inFlight -= 1;
    };
    for (const mailbox of mailboxes) says(mailbox, last(calendar("a")));
    await tick();
    expect(most).toBeLessThanOrEqual(runLimits.sendsInFlightMax);
  });

  test("switched off, none is sent, and switching them on later does not announce the past", async () => {
    const { says, tick, queue, sequence } = await opened();
    says("adele", page(calendar("a")), last(calendar("b")));
    await tick({ nudge: null });
    await tick();
    expect([queue, await sequence()]).toEqual([[], 2]);
  });
});

describe("I15: whoever has logged something says so, so that subscribers are woken", () => {
  test.each([true, false])(
    "a run and a page message, with nudges %j; none that has logged nothing",
    async (hasNudges) => {
      const { says, tick } = await opened(["adele", "alex"]);
      const changed = hasNudges ? {} : { nudge: null };
      says("adele", last(calendar("a")));
      says("alex", page(calendar("a")), last(calendar("b")));
      const { end, pages } = await tick(changed);
      expect([end.hasLogged, pages.map(({ hasLogged }) => hasLogged)]).toEqual([true, [true]]);
      const quietly = await tick(changed);
      expect([quietly.end.hasLogged, quietly.pages]).toEqual([false, []]);
    },
  );

  test("a run after one that has logged and then died", async () => {
    const { table, says, tick, store } = await opened();
    const dying = storeOn(
      interfered(table, {
        after: ({ name, rowKeys }) => {
          if (name !== "transact" || !rowKeys.some((key) => key.startsWith("log|"))) return;
          throw new Error("The process ended.");
        },
      }),
    );
    says("adele", last(calendar("a")));
    await tick({ store: dying, nudge: null }).catch(() => undefined);
    expect((await store.readShardRow("00"))?.row.log?.number).toBe(1);
    expect((await tick({ nudge: null })).end.hasLogged).toBe(true);
    expect((await tick({ nudge: null })).end.hasLogged).toBe(false);
  });
});
