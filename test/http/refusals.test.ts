import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../shared/sync/types.js";
import { origin, routesOver } from "../worlds/http.js";
import { type MailboxWorld, mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";
import { minuteMs } from "../worlds/parts.js";

const calendars = `/users/${mailboxId}/calendars`;
const everyRead = [calendars, `${calendars}/a`, `${calendars}/delta`];

async function write(world: MailboxWorld, changed: Partial<Checkpoint>) {
  const held = await world.held();
  const next = { ...held.checkpoint, ...changed } as Checkpoint;
  await world.store.commitUnits([{ held, rows: [], next }], null);
}

/** What each read of a mailbox answers of which no full round has ended, and which stands like this. */
async function neverServed(changed: (nowMs: number) => Partial<Checkpoint>) {
  const world = await mailboxWorld();
  await world.add();
  await write(world, changed(world.clock.ms));
  const { ask } = routesOver(world.store, () => world.clock.ms);
  return Promise.all(everyRead.map((url) => ask(url)));
}

describe("I7: a mailbox that was never served", () => {
  test.each([
    ["noMailbox:MailboxNotEnabledForRESTAPI", 404, "MailboxNotEnabledForRESTAPI"],
    ["noMailbox:ErrorInvalidUser", 404, "ErrorInvalidUser"],
    ["noMailbox:http404", 404, "ResourceNotFound"],
    ["denied:ErrorAccessDenied", 403, "ErrorAccessDenied"],
    ["denied:ErrorItemNotFound", 403, "ErrorItemNotFound"],
    ["denied:", 403, "ErrorAccessDenied"],
  ])("and is parked as %s is refused as Graph refuses it: %i %s", async (parkedReason, status, code) => {
    const answers = await neverServed((nowMs) => ({
      parkedReason,
      notBeforeMs: nowMs + 15 * minuteMs,
      lastErrorCode: "http503", // Of a later try that failed for another reason.
    }));
    for (const { status: seen, body, headers } of answers) {
      expect([seen, body.error.code]).toEqual([status, code]);
      expect(headers).toMatchObject({ "x-mirror-state": "parked", "cache-control": "no-store" });
      expect(headers).not.toHaveProperty("retry-after");
    }
  });

  test.each([
    ["waits for a known time", { notBeforeMs: 90_500 }, "waiting", "91"],
    ["waits for less than a second", { notBeforeMs: 1 }, "waiting", "1"],
    ["waits for a day", { notBeforeMs: 24 * 60 * minuteMs }, "waiting", "3600"],
    ["waited, and is due with the next tick", { notBeforeMs: 0 }, "waiting", "30"],
    ["is new", {}, "new", "30"],
    ["is held", { heldRemovals: 3 }, "held", "30"],
    ["is in its first round", { phase: "full", link: "https://graph.example/1" }, "inProgress", "30"],
    ["is parked for another reason", { parkedReason: "poisonedPage", notBeforeMs: 60_000 }, "parked", "60"],
    ["is parked until it is released", { parkedReason: "tooLarge:calendar" }, "parked", "3600"],
  ] as const)("and %s is 503 with the time to come again", async (_what, { ...stands }, state, retryAfter) => {
    const answers = await neverServed((nowMs) => {
      const { notBeforeMs } = stands as Partial<Checkpoint>;
      const moved = notBeforeMs === undefined ? {} : { notBeforeMs: nowMs + (notBeforeMs ?? 0) };
      return { ...(stands as Partial<Checkpoint>), ...moved };
    });
    for (const { status, body, headers } of answers) {
      expect([status, body.error.code]).toEqual([503, "serviceNotAvailable"]);
      expect(headers).toMatchObject({ "retry-after": retryAfter, "x-mirror-state": state });
    }
  });
});

test.each(["noMailbox:ResourceNotFound", "denied:ErrorAccessDenied"])(
  "I4: a mailbox that was served goes on being served when it is parked as %s",
  async (parkedReason) => {
    const world = await worldWith({ a: "A" });
    await write(world, { parkedReason, notBeforeMs: world.clock.ms + minuteMs });
    const { ask } = routesOver(world.store, () => world.clock.ms);
    for (const url of everyRead) {
      const { status, headers } = await ask(url);
      expect([status, headers["x-mirror-state"]]).toEqual([200, "parked"]);
    }
  },
);

describe("refusals say how fresh the mirror is, where that is known", () => {
  const fresh = (world: MailboxWorld, state: string) => ({
    age: "60",
    "x-mirror-state": state,
    "x-mirror-kind": "unknown",
    "x-mirror-last-success": new Date(world.clock.ms - minuteMs).toISOString(),
  });

  test.each(["suspended", "removing"])("of a mailbox that is %s", async (parkedReason) => {
    const world = await worldWith({ a: "A" });
    await write(world, { parkedReason });
    world.clock.ms += minuteMs;
    const { ask } = routesOver(world.store, () => world.clock.ms);
    for (const url of everyRead) {
      const { status, body, headers } = await ask(url);
      expect([status, body.error.code]).toEqual([404, "ResourceNotFound"]);
      expect(headers).toMatchObject(fresh(world, parkedReason));
    }
  });

  test("of a calendar that is not there, and of a token that has expired", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { ask } = routesOver(world.store, () => world.clock.ms);
    const { body } = await ask(`${calendars}/delta`);
    const { body: list } = await ask(`${calendars}?$top=1&$select=name`);
    await world.page([{ id: "a", name: null }]);
    await world.retire();
    world.clock.ms += minuteMs - 1; // `retire` takes a millisecond.
    expect(await ask(`${calendars}/a`)).toMatchObject({ status: 404, headers: fresh(world, "fresh") });
    const expected = { ...fresh(world, "fresh"), location: `${origin}/api/beta${calendars}/delta` };
    expect(await ask(String(body["@odata.deltaLink"]))).toMatchObject({ status: 410, headers: expected });
    const location = `${origin}/api/beta${calendars}?$select=name&$top=1`;
    const expired = await ask(String(list["@odata.nextLink"]));
    expect(expired).toMatchObject({ status: 410, headers: { ...expected, location } });
    expect((await ask(location)).body.value).toEqual([{ id: "b", name: "B" }]);
  });

  test("of a mailbox that changed again and again while its list was read", async () => {
    const world = await worldWith({ a: "A" });
    let sequence = 1;
    const restless = {
      ...world.store,
      readMailbox: async () => {
        const held = await world.held();
        sequence += 1;
        return { ...held, checkpoint: { ...held.checkpoint, sequence } };
      },
    };
    const { status, headers } = await routesOver(restless, () => world.clock.ms).ask(calendars);
    expect([status, headers["retry-after"], headers["x-mirror-state"]]).toEqual([503, "1", "fresh"]);
  });
});

test("a list's nextLink of a mailbox's earlier epoch is 410, as a delta link is", async () => {
  const world = await worldWith({ a: "A", b: "B" });
  const { ask } = routesOver(world.store, () => world.clock.ms);
  const { body } = await ask(`${calendars}?$top=1`);
  await world.purge();
  await world.add();
  await world.fullRound({ a: "A", b: "B" });
  for (const headers of [{}, { "if-none-match": "*" }]) {
    expect((await ask(String(body["@odata.nextLink"]), headers)).status).toBe(410);
  }
});
