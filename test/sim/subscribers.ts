import { below } from "../../local/graph/random.js";
import { actOnSubscriber, type SubscriberAsk, subscriberActions } from "../../shared/actions/subscriber.js";
import { type DeliverPorts, deliver } from "../../shared/push/deliver.js";
import { logNumbersOf } from "../../shared/push/logNumbers.js";
import type { Notification, Subject } from "../../shared/push/notification.js";
import type { SendOutcome } from "../../shared/push/ports.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore, type Store } from "../../shared/store/store.js";
import { newSubscription } from "../../shared/sync/subscription.js";
import { StorageError } from "../../shared/table/errors.js";
import { type DeliveryHost, DeliveryHosts, type HostedDelivery } from "./deliveryHost.js";
import { quieten } from "./pace.js";
import type { Reader } from "./readers.js";
import type { Mortal } from "./scheduler.js";
import type { World } from "./world.js";

/** How a subscriber is in the storm. In the end all say yes. `away`: it answers nothing until then. */
type Mood = "well" | "broken" | "lying" | "away";

/** A subscriber and what it keeps: the calendars that exist, by mailbox. `id` null: it has not subscribed yet. */
type Subscriber = {
  readonly mood: Mood;
  id: string | null;
  deliveries: number;
  readonly calendars: Map<string, Map<string, string>>;
  /** An operator is at it. */
  isMended: boolean;
};

const secretOfNobody = Buffer.alloc(32).toString("base64");
const hourMs = 60 * 60_000;
/** Our choice: far more than any seed needs. */
const attemptsMax = 200;
/** A storm's: so small that each bound is met. */
const limits = {
  ...{ runMsMax: 30_000, notificationsPerWriteMax: 3, unwrittenMsMax: 1_000 },
  ...{ shardsAtOnceMax: 2, writesMax: 5 },
};

/**
 * Subscribers that keep a copy by notifications alone: told that something has changed, each looks at how it stands now. A delivery
 * is one of several at a time of a process, which may die at each of their calls. In the end each copy must be the mirror (I15).
 */
export function subscribers(): Reader {
  const moods: readonly Mood[] = ["well", "broken", "lying", "away"];
  const all = moods.map(
    (mood): Subscriber => ({ mood, id: null, deliveries: 0, calendars: new Map(), isMended: false }),
  );
  let isCalm = false;
  /** Until waits are over, in the end: the world's own time stands. */
  let laterMs = 0;

  const hosts = new DeliveryHosts((world) => world.scheduler.nowMs + laterMs);

  const start = (world: World, subscriber: Subscriber): void => {
    const { id } = subscriber;
    const host = hosts.at(world, below(world.random, 2));
    subscriber.deliveries += 1;
    const hosted: HostedDelivery = {
      end: () => {
        subscriber.deliveries -= 1;
      },
    };
    host.deliveries.add(hosted);
    const { store, logs, newId } = host;
    const work =
      id === null
        ? subscribe(world, subscriber, store)
        : deliver(id, {
            clock: { nowMs: () => world.scheduler.nowMs + laterMs },
            random: world.random,
            ...{ newId, store, logs },
            wire: wireTo(world, subscriber, host, () => isCalm),
            log: () => undefined,
            limits,
            onAccepted: () => undefined,
          });
    const ended = () => {
      if (host.deliveries.delete(hosted) && !host.isDead) hosted.end();
    };
    work.then(ended, (error: unknown) => {
      ended();
      if (!(error instanceof StorageError)) world.oracle.report("I15", "a delivery threw", "none", String(error));
    });
  };

  /** An operator asks for this or that; the asking may die at each of its calls, too. */
  const mend = (world: World, subscriber: Subscriber, ask: SubscriberAsk): void => {
    const { id } = subscriber;
    if (id === null || subscriber.isMended) return;
    subscriber.isMended = true;
    const mortal: Mortal = { name: `operator of ${subscriber.mood}`, isDead: false };
    const ended = () => {
      subscriber.isMended = false;
    };
    const die = () => {
      world.scheduler.kill(mortal);
      ended();
    };
    let ids = 0;
    const newCommitId = () => `${mortal.name} ${world.scheduler.steps} ${ids++}`;
    const store = createStore({ table: world.tableFor(mortal, die), shards: world.plan.shards, newCommitId });
    actOnSubscriber(id, ask, store, world.scheduler.nowMs).then(
      () => {
        if (!mortal.isDead) ended();
      },
      (error: unknown) => {
        if (!mortal.isDead) ended();
        if (!(error instanceof StorageError))
          world.oracle.report("I15", "an operator's action threw", "none", String(error));
      },
    );
  };
  const mendAnyhow = (world: World, subscriber: Subscriber): void => {
    const action = subscriberActions[below(world.random, subscriberActions.length)] ?? "resume";
    const sinceMs = world.scheduler.nowMs - below(world.random, 12 * hourMs);
    mend(world, subscriber, action === "replay" ? { action, sinceMs } : { action });
  };

  return {
    name: "subscribers",
    step: (world) => {
      const subscriber = all[below(world.random, all.length)];
      if (subscriber !== undefined && world.random.next() < 0.05) mendAnyhow(world, subscriber);
      // Now and then a second one, as after a message that came twice.
      const most = world.random.next() < 0.2 ? 2 : 1;
      if (subscriber !== undefined && subscriber.deliveries < most) start(world, subscriber);
    },
    check: () => undefined,
    finish: async (world) => {
      isCalm = true;
      await quieten(world);
      for (const subscriber of all) {
        for (let attempt = 0; attempt < attemptsMax; attempt++) {
          const told = subscriber.id !== null && (await isTold(world, subscriber.id));
          if (told || world.oracle.violations.length > 0) break;
          mend(world, subscriber, { action: "resume" });
          await quieten(world);
          start(world, subscriber);
          await quieten(world);
          laterMs += hourMs;
        }
        compare(world, subscriber);
      }
    },
  };
}

async function subscribe(world: World, subscriber: Subscriber, store: Store): Promise<void> {
  const shards = shardNames(world.plan.shards);
  const numbers = await logNumbersOf(store, shards);
  copyAll(world, subscriber); // What changes from the numbers on is told.
  const subscriptionId = `${subscriber.mood} ${world.scheduler.steps}`;
  const nowMs = world.scheduler.nowMs;
  const url = "https://subscriber.example";
  const subscription = newSubscription({
    ...{ subscriptionId, mailboxId: null, resource: "users/getAllCalendars" },
    changeTypes: ["created", "updated", "deleted"],
    ...{ notificationUrl: url, lifecycleNotificationUrl: `${url}/life`, clientState: null },
    ...{ latestSupportedTlsVersion: null, format: "graph", secret: secretOfNobody, createdMs: nowMs },
    expiresMs: nowMs + 20_000 * hourMs,
    position: Object.fromEntries(shards.map((shard) => [shard, { number: numbers[shard] ?? 0, entries: 0, sent: 0 }])),
  });
  const written = await store.writeSubscription(subscription, null);
  if (written !== "superseded" && subscriber.id === null) subscriber.id = subscriptionId;
}

/** The wire to a subscriber: a request is a call like any other, which may die, be lost, or have its answer lost. */
function wireTo(world: World, subscriber: Subscriber, host: DeliveryHost, isCalm: () => boolean): DeliverPorts["wire"] {
  const never = () => new Promise<never>(() => undefined);
  const headers = {};
  return {
    requestsOf: function* (_subscription, notifications) {
      for (let at = 0; at < notifications.length; at += 2) {
        const told = notifications.slice(at, at + 2);
        yield { url: "changes", headers, body: JSON.stringify(told), count: told.length };
      }
    },
    lifecycleRequestOf: (_subscription, event) => {
      return { url: event.lifecycleEvent, headers, body: "", count: 1 };
    },
    send: async ({ url, body }) => {
      const mood = isCalm() ? "well" : subscriber.mood;
      const slowMs = mood === "broken" ? below(world.random, 10_000) : 0;
      const fate = await world.scheduler.gate(host, "nudge", () => `${url} ${body}`, world.scheduler.nowMs + slowMs);
      if (fate === "crashBefore") {
        host.die();
        return never();
      }
      const { outcome, keeps } = replyOf(world, mood);
      if (keeps && fate !== "fails") take(world, subscriber, url, body);
      if (fate === "crashAfter") {
        host.die();
        return never();
      }
      return fate === "fails" || fate === "lost" ? { kind: "unreachable", code: "ECONNRESET" } : outcome;
    },
  };
}

type Reply = { readonly outcome: SendOutcome; readonly keeps: boolean };

function replyOf(world: World, mood: Mood): Reply {
  const draw = world.random.next();
  const yes: Reply = { outcome: { kind: "accepted", status: draw < 0.5 ? 200 : 202 }, keeps: true };
  const late: Reply = { outcome: { kind: "unreachable", code: "timeout" }, keeps: true };
  const no = (status: number): Reply => ({ outcome: { kind: "refused", status, retryAfterMs: 20_000 }, keeps: false });
  switch (mood) {
    case "well":
      return yes;
    case "broken":
      return draw < 0.5 ? yes : draw < 0.8 ? no(503) : no(429);
    case "lying":
      return draw < 0.5 ? yes : late;
    case "away":
      return { outcome: { kind: "unreachable", code: "ECONNREFUSED" }, keeps: false };
  }
}

function take(world: World, subscriber: Subscriber, url: string, body: string): void {
  if (url === "missed") copyAll(world, subscriber);
  if (url !== "changes") return;
  for (const { changeType, subject } of JSON.parse(body) as readonly Notification[]) {
    if (subject.kind === "user" && changeType === "deleted") subscriber.calendars.delete(subject.mailboxId);
    else look(world, subscriber, subject);
  }
}

/** Looks at how it stands now, as a receiver does that is told an id. */
function look(world: World, { calendars }: Subscriber, subject: Subject): void {
  const { mailboxId } = subject;
  const living = livingOf(world, mailboxId);
  if (subject.kind !== "calendar") {
    calendars.set(mailboxId, new Map(living));
    return;
  }
  const own = calendars.get(mailboxId) ?? new Map<string, string>();
  const text = living.get(subject.calendarId);
  if (text === undefined) own.delete(subject.calendarId);
  else own.set(subject.calendarId, text);
  calendars.set(mailboxId, own);
}

function copyAll(world: World, { calendars }: Subscriber): void {
  calendars.clear();
  for (const mailboxId of world.oracle.mailboxes.keys()) calendars.set(mailboxId, new Map(livingOf(world, mailboxId)));
}

/** The living calendars of a mailbox that is served. */
function livingOf(world: World, mailboxId: string): ReadonlyMap<string, string> {
  const { checkpoint, rows } = world.oracle.mailbox(mailboxId);
  const isAway = ["suspended", "removing"].includes(checkpoint?.parkedReason ?? "");
  if (checkpoint?.hasHadFullRound !== true || isAway) return new Map();
  const living = [...rows.values()].filter(({ isRemoved }) => !isRemoved);
  return new Map(living.map(({ calendarId, text }) => [calendarId, text]));
}

/** Whether its position is the logs' ends, and it is owed nothing. Reads as nobody's: nothing of it fails. */
async function isTold(world: World, id: string): Promise<boolean> {
  const observer: Mortal = { name: "observer", isDead: false };
  const store = createStore({
    table: world.tableFor(observer, () => undefined),
    shards: world.plan.shards,
    newCommitId: () => "none",
  });
  let told = false;
  const look = async () => {
    const subscription = (await store.readSubscription(id))?.subscription;
    if (subscription === undefined) return;
    const numbers = await logNumbersOf(store, Object.keys(subscription.position));
    const isAtEnds = Object.entries(subscription.position).every(([shard, { number }]) => number === numbers[shard]);
    told = isAtEnds && subscription.missedMs === null;
  };
  const looking = look();
  await quieten(world);
  if (world.oracle.violations.length > 0) return false;
  await looking;
  return told;
}

function compare(world: World, { mood, calendars }: Subscriber): void {
  const { oracle } = world;
  for (const mailboxId of new Set([...calendars.keys(), ...oracle.mailboxes.keys()])) {
    const { checkpoint } = oracle.mailbox(mailboxId);
    // Of a mailbox that stays broken a message may have brought something after the last tick.
    if (checkpoint?.hasHadFullRound === true && checkpoint.loggedSequence !== checkpoint.sequence) continue;
    const living = livingOf(world, mailboxId);
    const own = calendars.get(mailboxId) ?? new Map<string, string>();
    const stale = [...living].find(([calendarId, text]) => own.get(calendarId) !== text);
    if (stale === undefined && own.size === living.size) continue;
    const seen = stale === undefined ? `${own.size} calendars of ${living.size}` : `another ${stale[0].slice(-12)}`;
    oracle.report("I15", `${mailboxId}: the copy of a subscriber that is ${mood}`, "the mirror's calendars", seen);
  }
}
