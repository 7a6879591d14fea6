import { describe, expect, test } from "vitest";
import { metadataXml } from "../../shared/http/beta/metadata.js";
import { pushPartition, subscriptionKey } from "../../shared/store/keys.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { mailboxId } from "../worlds/mailbox.js";
import { dayMs, startMs } from "../worlds/parts.js";
import { subscriptionRoutes } from "../worlds/subscriptionRoutes.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

describe("a subscription in trouble", () => {
  const refused = { failuresInARow: 30, lastAnswer: "410" };
  const fresh = { failuresInARow: 0, notBeforeMs: null, refusedSinceMs: null };
  test.each<[string, Partial<Subscription>, Partial<Subscription>]>([
    ["was gone", { pausedReason: "gone", pausedMs: startMs }, { pausedReason: null, pausedMs: null }],
    ["has refused, and waits", { notBeforeMs: startMs + dayMs, refusedSinceMs: startMs - dayMs }, {}],
    [
      "was paused by hand",
      { pausedReason: "byHand", pausedMs: startMs },
      { pausedReason: "byHand", pausedMs: startMs },
    ],
  ])("that %s: what its old address has answered does not count against a new one", async (_how, before, after) => {
    const { world, send, created } = await subscriptionRoutes();
    const id = await created();
    const held = await world.store.readSubscription(id);
    if (held === null) throw new Error("It is not there.");
    await world.store.writeSubscription({ ...held.subscription, ...refused, ...before }, held.etag);
    const notificationUrl = "https://moved.example";
    expect((await send("PATCH", `/${id}`, { notificationUrl })).status).toBe(200);
    expect((await world.store.readSubscription(id))?.subscription).toMatchObject({
      notificationUrl,
      ...fresh,
      ...after,
    });
  });

  test("a new one, and one that is renewed or moves, is delivered to at once; one that is refused, or deleted, is not", async () => {
    const { send, created, started, inMs } = await subscriptionRoutes();
    const id = await created();
    expect(started).toEqual([id]);
    await send("PATCH", `/${id}`, { expirationDateTime: inMs(6 * dayMs) });
    await send("PATCH", `/${id}`, { notificationUrl: "https://moved.example" });
    expect(started).toEqual([id, id, id]);
    await send("PATCH", `/${id}`, { expirationDateTime: "soon" });
    await send("GET", `/${id}`);
    await send("DELETE", `/${id}`);
    await send("PATCH", `/${id}`, { expirationDateTime: inMs(6 * dayMs) });
    expect(started).toHaveLength(3);
  });

  test("shows its owner when it last missed something, and takes that back in a PATCH", async () => {
    const { world, send, created } = await subscriptionRoutes();
    const id = await created();
    expect(Object.keys((await send("GET", `/${id}`)).body).join()).not.toContain("missed");
    const held = await world.store.readSubscription(id);
    if (held === null) throw new Error("It is not there.");
    await world.store.writeSubscription({ ...held.subscription, lastMissedMs: startMs }, held.etag);
    const missed = { "@calendarMirror.missedDateTime": new Date(startMs).toISOString() };
    const { body } = await send("GET", `/${id}`);
    expect([body, (await send("GET")).body.value[0]]).toMatchObject([missed, missed]);
    expect(metadataXml).toContain('<Term Name="missedDateTime" Type="Edm.DateTimeOffset"');
    expect((await send("PATCH", `/${id}`, body)).body).toMatchObject(missed);
  });

  test("is deleted also where its row cannot be read any more, which is said of it until then", async () => {
    const { world, send, created } = await subscriptionRoutes();
    const id = await created();
    const rowKey = subscriptionKey(id);
    await world.table.transact(pushPartition, [{ kind: "upsert", rowKey, columns: { secret: "x" } }]);
    expect((await send("GET", `/${id}`)).body.error.message).toMatch(/row of the mirror cannot be read/);
    expect((await send("DELETE", `/${id}`)).status).toBe(204);
    expect((await send("DELETE", `/${id}`)).status).toBe(404);
  });

  test("of many who ask at once no more are made than there may be", async () => {
    const { world, send, wanted } = await subscriptionRoutes();
    const expiresMs = world.clock.ms + dayMs;
    for (let index = 0; index < 195; index++) {
      const subscriptionId = `3f0c0000-0000-4000-8000-${String(index).padStart(12, "0")}`;
      await world.store.writeSubscription(subscriptionOf({ subscriptionId, expiresMs }), null);
    }
    const answers = await Promise.all(Array.from({ length: 20 }, () => send("POST", "", wanted())));
    const made = answers.filter(({ status }) => status === 201);
    expect(answers.every(({ status }) => status === 201 || status === 403)).toBe(true);
    expect(await world.store.readSubscriptions()).toHaveLength(195 + made.length);
    expect(made.length).toBeLessThanOrEqual(5);
    expect((await send("POST", "", wanted())).status).toBe(made.length < 5 ? 201 : 403);
  });

  test("the log names the mailbox by its id, though it was asked for by the user's name", async () => {
    const mailboxNamed = async () => ({ kind: "mailbox", mailboxId }) as const;
    const { created, logged } = await subscriptionRoutes({ mailboxNamed });
    await created({ resource: "users/adele.vance@contoso.com/calendars" });
    expect(logged.join()).toContain(`"mailbox":"${mailboxId}"`);
    await created({ resource: "users/getAllCalendars" });
    expect(logged.join()).toContain(`"mailbox":"all"`);
    expect(logged.join()).not.toMatch(/vance/i);
  });
});
