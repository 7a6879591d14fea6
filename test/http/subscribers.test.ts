import { describe, expect, test } from "vitest";
import { subscriptionsRoute } from "../../shared/http/beta/beta.js";
import type { HttpPorts } from "../../shared/http/handler.js";
import { subscriberActionRoute, subscribersRoute } from "../../shared/http/subscribers.js";
import { StorageError, type Store } from "../../shared/store/store.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { origin, routesOver } from "../worlds/http.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { entryOf, pushWorld, refused } from "../worlds/push.js";

const id = "3f0c0000-0000-4000-8000-0000000000d1";
const unknownId = "3f0c0000-0000-4000-8000-00000000ffff";
const iso = (ms: number) => new Date(ms).toISOString();

/** The operators' routes over a world of deliveries, and the messages that they have sent. */
async function opened(changed: Partial<Subscription> = {}, over: (store: Store) => Store = (store) => store) {
  const world = await pushWorld({ shards: 2 });
  await world.subscribe(changed);
  const sent: unknown[] = [];
  const logged: string[] = [];
  const log: HttpPorts["log"] = (...line) => logged.push(JSON.stringify(line));
  const { through } = routesOver(over(world.store), world.clock.nowMs, { log }, world.shards);
  const act = subscriberActionRoute((message) => void sent.push(message));
  return {
    world,
    sent,
    logged,
    list: async (query = "") => await through(subscribersRoute, `${origin}/api/subscribers${query}`),
    post: (action: string, query = "", of = id, text?: string) =>
      through(act, `${origin}/api/subscribers/${of}/${action}${query}`, {
        ...{ method: "POST", params: { id: of, action } },
        ...(text === undefined ? {} : { text }),
      }),
    patch: (body: object) =>
      through(subscriptionsRoute, `${origin}/api/beta/subscriptions/${id}`, {
        method: "PATCH",
        text: JSON.stringify(body),
      }),
  };
}

describe("GET subscribers", () => {
  test("tells how each stands, by the host of its address alone, and none of its secrets", async () => {
    const { world, list } = await opened({
      notificationUrl: "https://hooks.contoso.example:8443/secret-path?code=secret-code",
      lifecycleNotificationUrl: "https://life.example/secret-life",
      ...{ clientState: "secret-state", secret: "secret-key", resource: "/users/getAllCalendars" },
    });
    await world.tell([entryOf("m")]);
    world.clock.ms += minuteMs;
    await world.tell([entryOf("m")]);
    world.receive = () => refused(503);
    await world.deliver(id);
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(body.value).toEqual([
      {
        ...{ id, resource: "/users/getAllCalendars", changeType: "created,updated,deleted", format: "graph" },
        ...{ host: "hooks.contoso.example:8443", state: "waiting", pausedReason: null, pausedSince: null },
        behind: { since: iso(startMs), rows: 2 },
        lastAnswer: { at: iso(world.clock.ms), answer: "503" },
        ...{ failuresInARow: 1, notBefore: iso(world.clock.ms + 10_000), missed: null, lastMissed: null },
        ...{ created: iso(startMs), expires: iso(startMs + 7 * 24 * 60 * minuteMs) },
      },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/secret/);
  });

  test("shows who is up to date as such, and no wait that is over", async () => {
    const { world, list } = await opened({ notBeforeMs: startMs, failuresInARow: 1 });
    await world.deliver(id);
    expect((await list()).body.value).toMatchObject([
      { state: "active", behind: null, lastAnswer: null, notBefore: null },
    ]);
  });

  test("leaves out what has expired, and lists the oldest first", async () => {
    const { world, list } = await opened({ createdMs: startMs + 1 });
    await world.subscribe({ subscriptionId: unknownId, createdMs: startMs });
    await world.subscribe({ subscriptionId: id.replace("d1", "d2"), expiresMs: startMs });
    expect((await list()).body.value.map((one) => one["id"])).toEqual([unknownId, id]);
    expect(await list("?top=1")).toMatchObject({ status: 400 });
  });
});

describe("POST subscribers/{id}/…", () => {
  test("pause: is paused by hand, with nothing to deliver; a renewal does not resume it, resume does", async () => {
    const { world, sent, post, patch, logged } = await opened();
    world.clock.ms += minuteMs;
    const paused = { state: "paused", pausedReason: "byHand", pausedSince: iso(world.clock.ms) };
    expect(await post("pause")).toMatchObject({ status: 202, body: paused });
    world.clock.ms += minuteMs;
    expect(await post("pause")).toMatchObject({ status: 202, body: paused });
    expect(sent).toEqual([]);
    expect(await patch({ expirationDateTime: iso(world.clock.ms + 60 * minuteMs) })).toMatchObject({ status: 200 });
    expect(await world.held(id)).toMatchObject({ pausedReason: "byHand" });
    expect(await post("resume")).toMatchObject({ status: 202, body: { state: "active", pausedReason: null } });
    expect(sent).toEqual([{ subscriptions: [id] }]);
    expect(logged.join()).toContain("subscriber asked by hand to resume");
  });

  test("replay: starts a delivery of all since then, and tells where the logs do not reach back to it", async () => {
    const { world, sent, post } = await opened();
    for (let row = 0; row < 3; row++) {
      await world.tell([entryOf("m")]);
      world.clock.ms += 60 * minuteMs;
    }
    await world.deliver(id);
    const since = iso(startMs + 60 * minuteMs);
    const whole = await post("replay", `?since=${since}`, id.toUpperCase(), "{}");
    expect(whole).toMatchObject({
      status: 202,
      body: { subscriber: { behind: { rows: 2, since } }, goesBackTo: null },
    });
    expect(sent).toEqual([{ subscriptions: [id] }]);
    await world.retire(2);
    const rest = await post("replay", "?since=2026-01-01T00:00:00%2B02:00");
    expect(rest.body).toMatchObject({ goesBackTo: iso(startMs + 120 * minuteMs) });
  });

  test("a delivery that writes at the same moment is written onto, not over", async () => {
    let left = 3;
    const { world, post } = await opened({}, (store) => ({
      ...store,
      writeSubscription: async (subscription, etag) => {
        if (left-- <= 0) return store.writeSubscription(subscription, etag);
        const held = await store.readSubscription(id);
        if (held !== null) await store.writeSubscription({ ...held.subscription, failuresInARow: 9 - left }, held.etag);
        return store.writeSubscription(subscription, etag);
      },
    }));
    expect(await post("pause")).toMatchObject({ status: 202 });
    expect(await world.held(id)).toMatchObject({ pausedReason: "byHand", failuresInARow: 9 });
  });

  test.each([
    ["pause", "", unknownId, 404, "itemNotFound"],
    ["pause", "", "no id", 404, "itemNotFound"],
    ["destroy", "", id, 404, "itemNotFound"],
    ["pause", "?since=2026-01-01T00:00:00Z", id, 400, "invalidRequest"],
    ["replay", "", id, 400, "invalidRequest"],
    ["replay", "?since=yesterday", id, 400, "invalidRequest"],
    ["replay", "?since=2026-01-01T00:00:00", id, 400, "invalidRequest"],
    ["replay", "?since=2999-01-01T00:00:00Z", id, 400, "invalidRequest"],
    ["replay", "?from=2026-01-01T00:00:00Z", id, 400, "invalidRequest"],
  ])("%s%s of %s is %i", async (action, query, of, status, code) => {
    const { post, sent } = await opened();
    expect(await post(action, query, of)).toMatchObject({ status, body: { error: { code } } });
    expect(sent).toEqual([]);
  });

  test("a body is refused, and storage that fails is said", async () => {
    const { post } = await opened();
    expect(await post("pause", "", id, '{"reason": "x"}')).toMatchObject({ status: 400 });
    expect(await post("replay", "?since=2026-01-01T00:00:00Z", id, "[]")).toMatchObject({ status: 400 });
    const failing = await opened({}, (store) => ({
      ...store,
      readSubscription: () => Promise.reject(new StorageError("get", "~push", 500, "InternalError")),
    }));
    expect(await failing.post("pause")).toMatchObject({ status: 503 });
  });
});
