import { expect, onTestFinished, test, vi } from "vitest";
import { Copy } from "../../local/start/copy.js";
import { type Kept, keptInMemory } from "../../local/start/kept.js";
import type { Reader } from "../../local/start/reader.js";
import { startReceiver, type Takes, type Told } from "../../local/start/receiver.js";
import type { Notification, Recipient } from "../../shared/push/notification.js";
import { lifecycleRequestOf, requestsOf } from "../../shared/push/requests.js";
import { shownSecret } from "../../shared/push/signature.js";
import { validate } from "../../shared/push/validate.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { mailboxId, recipient, sender, trialSender } from "../worlds/subscriber.js";

/** The receiver of `npm start`, against what is really sent to subscribers. */

const now = { ...sender, nowMs: Date.now };

/** A mirror that makes a subscription, and keeps it unless it `forgets`. */
function mirrorOf({ forgets = false } = {}) {
  const asked: string[] = [];
  const { subscriptionId: id, secret } = recipient();
  let url = "";
  const reader: Pick<Reader, "subscribe" | "renew" | "unsubscribe"> = {
    subscribe: async (notificationUrl) => {
      asked.push("subscribe");
      url = notificationUrl;
      return { id, secret: shownSecret(secret) };
    },
    renew: async (which, notificationUrl) => {
      asked.push(`renew ${which}`);
      url = notificationUrl;
      return !forgets;
    },
    unsubscribe: async (which) => void asked.push(`unsubscribe ${which}`),
  };
  return { reader, asked, url: () => url };
}

async function receiver(other: { kept?: Kept; isKept?: boolean; forgets?: boolean } & Partial<Takes> = {}) {
  const { reader, asked, url } = mirrorOf(other);
  const told: Told[] = [];
  const missed = vi.fn(async () => undefined);
  const takes = { take: async (some: readonly Told[]) => void told.push(...some), missed, ...other };
  const started = await startReceiver(reader, other.kept ?? keptInMemory(), other.isKept ?? false, takes);
  onTestFinished(started.stop);
  const { send } = await trialSender();
  const to = (changed: Partial<Recipient> = {}) =>
    recipient({ notificationUrl: url(), lifecycleNotificationUrl: url(), ...changed });
  const tell = async (ids: readonly string[], changed: Partial<Recipient> = {}) => {
    const notifications = ids.map((id): Notification => {
      const subject = { kind: "calendar", mailboxId, calendarId: `calendar ${id}` } as const;
      return { id, changeType: "updated", subject, atMs: Date.now() };
    });
    const [request] = requestsOf(to(changed), notifications, now);
    return request === undefined ? null : send(request);
  };
  const lifecycle = async (lifecycleEvent: "missed" | "reauthorizationRequired") => {
    const request = lifecycleRequestOf(to(), { id: lifecycleEvent, lifecycleEvent, atMs: Date.now() }, now);
    return request === null ? null : send(request);
  };
  return { started, asked, url, told, missed, send, tell, lifecycle };
}

test("answers the handshake, and tells what it was told, once, in its order", async () => {
  const { url, send, tell, told, started } = await receiver();
  expect(await validate(url(), send, "a token & <b>")).toEqual({ kind: "given" });
  expect([await tell(["1", "2"]), await tell(["1", "2", "3"])]).toMatchObject([{ status: 202 }, { status: 202 }]);
  expect(told.map(({ id, calendarId, about }) => [id, calendarId, about])).toEqual(
    ["1", "2", "3"].map((id) => [id, `calendar ${id}`, "calendar"]),
  );
  expect(started.counts).toEqual({ notifications: 3, repeats: 2, refused: 0 });
});

test("what is not signed with its secret is refused, and counted", async () => {
  const { tell, told, started } = await receiver();
  const secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  expect(await tell(["1"], { secret })).toMatchObject({ kind: "refused", status: 400 });
  expect(told).toEqual([]);
  expect(started.counts).toMatchObject({ notifications: 0, refused: 1 });
});

test("what could not be handled is not accepted, and is handled when it comes again", async () => {
  const take = vi.fn(async () => undefined).mockRejectedValueOnce(new Error("The mirror cannot be read."));
  const { tell, started } = await receiver({ take });
  expect(await tell(["1"])).toMatchObject({ kind: "refused", status: 503 });
  expect(await tell(["1"])).toMatchObject({ kind: "accepted", status: 202 });
  expect(take).toHaveBeenCalledTimes(2);
  expect(started.counts).toEqual({ notifications: 1, repeats: 0, refused: 0 });
});

test("renews its subscription when it is asked to, and says that it has missed something", async () => {
  const { lifecycle, asked, missed } = await receiver();
  expect(await lifecycle("reauthorizationRequired")).toMatchObject({ status: 202 });
  expect(asked).toEqual(["subscribe", `renew ${recipient().subscriptionId}`]);
  expect(await lifecycle("missed")).toMatchObject({ status: 202 });
  expect(missed).toHaveBeenCalledOnce();
});

test("a kept subscription is gone on with at the same address, and what was told before is known", async () => {
  const kept = keptInMemory();
  const first = await receiver({ kept, isKept: true });
  await first.tell(["1"]);
  await first.started.stop();
  const second = await receiver({ kept, isKept: true });
  expect([first.asked, second.asked]).toEqual([["subscribe"], [`renew ${recipient().subscriptionId}`]]);
  expect([second.started.isResumed, second.url()]).toEqual([true, first.url()]);
  await second.tell(["1", "2"]);
  expect(second.told.map(({ id }) => id)).toEqual(["2"]);
  await second.started.stop();
  const third = await receiver({ kept, isKept: true, forgets: true });
  expect(third.asked).toEqual([`renew ${recipient().subscriptionId}`, "subscribe"]);
  expect(third.started.isResumed).toBe(false);
});

test("without anything kept, its subscription ends with it", async () => {
  const { started, asked } = await receiver();
  await started.stop();
  expect(asked.at(-1)).toBe(`unsubscribe ${recipient().subscriptionId}`);
});

/** A mirror's calendars, by mailbox and id. */
function calendarsOf(mailboxes: Record<string, readonly string[]>) {
  const calendar = (id: string): JsonObject => ({ "@odata.etag": "x", id, name: `Calendar ${id}` });
  const of = (mailbox: string) => (mailboxes[mailbox] ?? []).map(calendar);
  const reader: ConstructorParameters<typeof Copy>[0] = {
    calendar: async (mailbox, id) => of(mailbox).find((one) => one["id"] === id) ?? null,
    calendars: async (mailbox) => of(mailbox),
    allCalendars: async function* () {
      for (const userId of Object.keys(mailboxes)) for (const one of of(userId)) yield { ...one, userId };
    },
  };
  const view: Parameters<Copy["isSame"]>[1] = {
    isMirrored: async (mailbox) => mailbox in mailboxes,
    calendars: async (mailbox) =>
      of(mailbox).map(({ "@odata.etag": _etag, ...resource }) => {
        return { calendarId: String(resource["id"]), resource, removedMs: null } as never;
      }),
  };
  return { reader, view };
}

test("a copy that is kept by notifications alone is the mirror's; one that was not told of all is not", async () => {
  const mirror: Record<string, readonly string[]> = { ann: ["a1", "a2"], bob: ["b1"] };
  const { reader, view } = calendarsOf(mirror);
  const copy = new Copy(reader);
  await copy.readAll();
  const same = async () => Promise.all(["ann", "bob", "cy"].map((id) => copy.isSame(id, view)));
  expect(await same()).toEqual([true, true, true]);
  mirror["ann"] = ["a2", "a3"];
  mirror["cy"] = ["c1"];
  delete mirror["bob"];
  expect(await same()).toEqual([false, false, false]);
  const told = (mailbox: string, changeType: Told["changeType"], calendarId: string | null): Told => {
    const about = calendarId === null ? "mailbox" : "calendar";
    return { id: `${mailbox} ${calendarId}`, changeType, mailboxId: mailbox, about, calendarId };
  };
  await copy.take([told("ann", "deleted", "a1"), told("cy", "updated", null), told("bob", "deleted", null)]);
  expect(await same()).toEqual([false, true, true]);
  await copy.take([told("ann", "created", "a3"), told("ann", "deleted", "a1")]);
  expect(await same()).toEqual([true, true, true]);
});
