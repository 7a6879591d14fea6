import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actOnSubscriber, type SubscriberAsk, subscriberActions } from "../../shared/actions/subscriber.js";
import { StorageError } from "../../shared/table/errors.js";
import { minuteMs } from "../worlds/parts.js";
import {
  entryOf,
  inWords,
  Killed,
  late,
  lost,
  type PushWorld,
  pushWorld,
  type Reply,
  refused,
  yes,
} from "../worlds/push.js";

/**
 * I15 under any order of calls. Deliveries run side by side, and each of their calls to the table and to receivers waits for the
 * scheduler, which fast-check draws and shrinks.
 */

const receivers = ["https://one.example", "https://two.example"] as const;
const small = { notificationsPerWriteMax: 3, shardsAtOnceMax: 2, unwrittenMsMax: 0 };
const shards = ["00", "01", "02"];

const moods = {
  yes: () => yes,
  late: () => late,
  lost: () => lost,
  busy: () => refused(503, 20_000),
  gone: () => refused(410),
  killed: () => ({ ...yes, kills: true }),
} satisfies Record<string, () => Reply>;
type Mood = keyof typeof moods;

type Action =
  | { readonly kind: "tell"; readonly shard: string; readonly mailboxes: readonly string[] }
  | { readonly kind: "wake" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "mood"; readonly url: string; readonly mood: Mood }
  | { readonly kind: "fault"; readonly fault: Fault }
  | {
      readonly kind: "ask";
      readonly subscriber: number;
      readonly action: SubscriberAsk["action"];
      readonly agoMs: number;
    };
type Fault = "fails" | "answerLost" | "killedBefore" | "killedAfter";

const tell = fc.record({
  kind: fc.constant("tell" as const),
  shard: fc.constantFrom(...shards),
  mailboxes: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 5 }),
});
const wake = fc.constant({ kind: "wake" as const });
const action: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: tell, weight: 4 },
  { arbitrary: wake, weight: 4 },
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1_000, 15_000, minuteMs, 10 * minuteMs) }),
  fc.record({
    kind: fc.constant("mood" as const),
    url: fc.constantFrom(...receivers),
    mood: fc.constantFrom(...(Object.keys(moods) as Mood[])),
  }),
  fc.record({
    kind: fc.constant("fault" as const),
    fault: fc.constantFrom<Fault>("fails", "answerLost", "killedBefore", "killedAfter"),
  }),
  fc.record({
    kind: fc.constant("ask" as const),
    subscriber: fc.nat(receivers.length - 1),
    action: fc.constantFrom(...subscriberActions),
    agoMs: fc.constantFrom(0, 15_000, 10 * minuteMs),
  }),
);

/** Notifications that a receiver said yes to, and we learned of it, by mailbox, each at its first time. */
class Accepted {
  readonly #seen = new Map<string, string[]>();
  /** All of them as they came, repeats too. */
  readonly all: { readonly url: string; readonly word: string }[] = [];
  note(url: string, words: readonly string[]): void {
    this.all.push(...words.map((word) => ({ url, word })));
    for (const word of words) {
      const key = `${url} ${word.split(/[ /]/)[1]}`;
      const seen = this.#seen.get(key) ?? [];
      if (!seen.includes(word)) this.#seen.set(key, [...seen, word]);
    }
  }
  of(url: string, mailboxId: string): readonly string[] {
    return this.#seen.get(`${url} ${mailboxId}`) ?? [];
  }
}

const idOf = (subscriber: number) => `3f0c0000-0000-4000-8000-0000000000d${subscriber}`;

/** A world whose calls wait for the scheduler, with two subscribers to all. */
async function scheduledWorld(scheduler: fc.Scheduler) {
  const faults: Fault[] = [];
  let isCalm = true;
  const accepted = new Accepted();
  const mood = new Map<string, Mood>();
  const world = await pushWorld({
    shards: shards.length,
    limits: small,
    shareLimits: { rowsMax: 2 },
    perRequest: 2,
    table: {
      onCall: async (name, { moment }) => {
        if (isCalm) return;
        await scheduler.schedule(Promise.resolve(), `${name} ${moment}`);
        const wanted: readonly Fault[] =
          moment === "before" ? ["fails", "killedBefore"] : ["answerLost", "killedAfter"];
        const [fault] = faults;
        if (fault === undefined || !wanted.includes(fault) || name !== "transact") return;
        faults.shift();
        if (fault.startsWith("killed")) throw new Killed();
        throw new StorageError("transaction", "~push", null, "ECONNRESET");
      },
    },
  });
  world.receive = async ({ url, told }) => {
    if (!isCalm) await scheduler.schedule(Promise.resolve(), `send ${url}`);
    const reply: Reply = isCalm ? yes : moods[mood.get(url) ?? "yes"]();
    if (reply.outcome.kind === "accepted") accepted.note(url, inWords(told));
    return reply;
  };
  for (const [index, notificationUrl] of receivers.entries()) {
    await world.subscribe({ subscriptionId: idOf(index), notificationUrl });
  }
  const setCalm = (calm: boolean) => {
    isCalm = calm;
    if (calm) faults.length = 0;
  };
  return { world, faults, mood, accepted, setCalm };
}

/** Operators who ask for this and that at any moment; `owed`: what a replay has promised to a receiver, from then on. */
function operators(world: PushWorld, accepted: Accepted, logged: ReadonlyMap<string, number>) {
  const owed: { readonly url: string; readonly after: number; readonly words: readonly string[] }[] = [];
  const asks = async ({ subscriber, action, agoMs }: Extract<Action, { readonly kind: "ask" }>) => {
    const nowMs = world.clock.ms;
    const sinceMs = nowMs - agoMs;
    const words = [...logged].filter(([, atMs]) => atMs >= sinceMs).map(([word]) => word);
    const after = accepted.all.length;
    const ask: SubscriberAsk = action === "replay" ? { action, sinceMs } : { action };
    await actOnSubscriber(idOf(subscriber), ask, world.store, nowMs);
    if (action === "replay") owed.push({ url: receivers[subscriber] ?? "", after, words });
  };
  /** The end: what is paused stays silent, and is resumed. */
  const settle = async () => {
    await world.calm(5 * minuteMs); // Whatever was on its way has ended.
    for (const subscriber of receivers.keys()) {
      const isPaused = (await world.held(idOf(subscriber)))?.pausedReason === "byHand";
      const before = accepted.all.length;
      if (isPaused) await world.deliver(idOf(subscriber));
      expect(accepted.all.length).toBe(before);
      await actOnSubscriber(idOf(subscriber), { action: "resume" }, world.store, world.clock.ms);
    }
  };
  return { asks, owed, settle };
}

/** Writes rows as runs do: nothing comes between. `logged`: when each was. */
function teller(
  world: PushWorld,
  expected: Map<string, string[]>,
  setCalm: (calm: boolean) => void,
  logged: Map<string, number> = new Map(),
) {
  let count = 0;
  return async (shard: string, mailboxes: readonly string[]) => {
    const entries = mailboxes.map((name) => {
      const mailboxId = `${name}${shard}`;
      const calendarId = `c${++count}`;
      const word = `created ${mailboxId}/${calendarId}`;
      logged.set(word, world.clock.ms);
      expected.set(mailboxId, [...(expected.get(mailboxId) ?? []), word]);
      return entryOf(mailboxId, calendarId);
    });
    setCalm(true);
    await world.tell(entries, shard);
    setCalm(false);
  };
}

function isExpected(error: unknown): boolean {
  return error instanceof Killed || error instanceof StorageError;
}

describe("I15 under any order of calls", () => {
  test("with kills, lost answers, moods, twins and operators: each notification is accepted, a mailbox's in order, and again where it is replayed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 4, maxLength: 30 }),
        fc.scheduler(),
        async (actions, scheduler) => {
          const { world, faults, mood, accepted, setCalm } = await scheduledWorld(scheduler);
          const expected = new Map<string, string[]>();
          const logged = new Map<string, number>();
          const tellRow = teller(world, expected, setCalm, logged);
          const { asks, owed, settle } = operators(world, accepted, logged);
          const running: Promise<unknown>[] = [];
          const start = (work: Promise<unknown>) => {
            running.push(
              work.catch((error: unknown) => {
                if (!isExpected(error)) throw error;
              }),
            );
          };
          setCalm(false);
          for (const one of actions) {
            if (one.kind === "tell") await tellRow(one.shard, one.mailboxes);
            if (one.kind === "wait") world.clock.ms += one.ms;
            if (one.kind === "mood") mood.set(one.url, one.mood);
            if (one.kind === "fault") faults.push(one.fault);
            if (one.kind === "ask") start(asks(one));
            if (one.kind === "wake") start(world.due().then((ids) => Promise.all(ids.map((id) => world.deliver(id)))));
            for (let step = 0; step < 5 && scheduler.count() > 0; step++) await scheduler.waitNext(1);
          }
          await scheduler.waitIdle();
          await Promise.all(running);
          setCalm(true);
          await settle();
          await world.calm(2 * 60 * minuteMs);
          for (const url of receivers) {
            for (const [mailboxId, words] of expected) expect(accepted.of(url, mailboxId)).toEqual(words);
          }
          for (const { url, after, words } of owed) {
            const since = accepted.all.slice(after).flatMap((one) => (one.url === url ? one.word : []));
            expect(since).toEqual(expect.arrayContaining([...words]));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a replay beside deliveries is told whole, whichever of them writes first", async () => {
    const before = fc.array(tell, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(before, before, fc.scheduler(), async (first, second, scheduler) => {
        const { world, accepted, setCalm } = await scheduledWorld(scheduler);
        const logged = new Map<string, number>();
        const tellRow = teller(world, new Map(), setCalm, logged);
        const { asks, owed } = operators(world, accepted, logged);
        for (const one of first) await tellRow(one.shard, one.mailboxes);
        setCalm(true);
        await world.calm(minuteMs);
        for (const one of second) await tellRow(one.shard, one.mailboxes);
        const running = receivers.map((_, subscriber) => world.deliver(idOf(subscriber)));
        const asked = receivers.map((_, subscriber) =>
          asks({ kind: "ask", subscriber, action: "replay", agoMs: 10 * minuteMs }),
        );
        await scheduler.waitIdle();
        await Promise.all([...running, ...asked]);
        setCalm(true);
        await world.calm(10 * minuteMs);
        for (const { url, after, words } of owed) {
          const since = accepted.all.slice(after).flatMap((one) => (one.url === url ? one.word : []));
          expect(since).toEqual(expect.arrayContaining([...words]));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("with wakes alone, and no time passing: nobody waits for the timer, and nobody is told twice", async () => {
    const told = fc.array(tell, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(told, fc.scheduler(), async (actions, scheduler) => {
        const { world, setCalm } = await scheduledWorld(scheduler);
        const expected = new Map<string, string[]>();
        const tellRow = teller(world, expected, setCalm);
        const running: Promise<unknown>[] = [];
        setCalm(false);
        for (const one of actions) {
          await tellRow(one.shard, one.mailboxes);
          running.push(world.due().then((ids) => Promise.all(ids.map((id) => world.deliver(id)))));
          for (let step = 0; step < 9 && scheduler.count() > 0; step++) await scheduler.waitNext(1);
        }
        await scheduler.waitIdle();
        await Promise.all(running);
        for (const url of receivers) {
          const kept = inWords(world.keptBy(url));
          expect([...kept].sort()).toEqual([...expected.values()].flat().sort());
        }
      }),
      { numRuns: 300 },
    );
  });
});
