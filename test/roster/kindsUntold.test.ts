import { describe, expect, test } from "vitest";
import type { KindAnswer } from "../../shared/graph/mailboxKinds.js";
import type { Fleet } from "../worlds/fleet.js";
import {
  alive,
  asked,
  checkpointOf,
  directory,
  directoryOf,
  disabled,
  failed,
  group,
  leavers,
  mixedTenant,
  ofPurpose,
  pass,
  people,
  rowOf,
  wanted,
} from "../worlds/kinds.js";
import { dayMs } from "../worlds/parts.js";

/** Kinds that cannot be asked, or not now: nobody is lost, and it is told how many were not looked at. */

const hourMs = 3_600_000;

describe("without MailboxSettings.Read", () => {
  test.each([directory, group])(
    "of $kind, those with a sign-in are mirrored, and it is told how many accounts were not looked at",
    async (source) => {
      const world = await mixedTenant({ source });
      world.graph.switchMailboxSettings(false);
      const { batches } = asked(world);
      expect(await world.discover()).toBe("done");
      expect(await alive(world)).toEqual(people(world).sort());
      const unseen = disabled(world);
      const state = await directoryOf(world);
      expect(state.leftOut).toMatchObject({ disabled: 0, notLookedAt: unseen.length });
      expect(unseen).toContain(state.kindProbe);
      // All of the first page, and one of the second.
      expect(batches.slice(3).map((ids) => ids.length)).toEqual([1]);
      batches.length = 0;
      expect(await world.discover()).toBe("done");
      // Who was denied is tried first; each page of a full round tries one more.
      const another = expect.any(String);
      const perPage = source.kind === "group" ? [[state.kindProbe, another], [another]] : [[state.kindProbe]];
      expect(batches).toEqual(perPage);
      expect((await directoryOf(world)).leftOut?.notLookedAt).toBe(unseen.length);
    },
  );

  test.each([directory, group])(
    "of $kind, once it is granted, one answer brings a full round that looks at all",
    async (source) => {
      const world = await mixedTenant({ source });
      world.graph.switchMailboxSettings(false);
      await world.discover();
      world.graph.switchMailboxSettings(true);
      await world.discover();
      await world.discover();
      expect(await alive(world)).toEqual(wanted(world));
      expect(await directoryOf(world)).toMatchObject({
        isFull: true,
        kindProbe: null,
        leftOut: { disabled: leavers(world).length, notLookedAt: 0 },
      });
      await world.discover();
      expect((await directoryOf(world)).isFull).toBe(source.kind === "group");
    },
  );

  test("the log says how many accounts were not looked at, and what to grant, until it is granted", async () => {
    const world = await mixedTenant();
    world.graph.switchMailboxSettings(false);
    await world.discover();
    const line = `"notLookedAt":${disabled(world).length},"grant":"MailboxSettings.Read"`;
    expect(world.logged.at(-1)).toContain(line);
    world.graph.switchMailboxSettings(true);
    await world.discover();
    await world.discover();
    expect(world.logged.at(-1)).toContain('"notLookedAt":0,"code"');
  });

  test("for some mailboxes alone, the others are asked about all the same, and nobody enabled twice", async () => {
    const world = await mixedTenant({ source: group });
    const [user = ""] = people(world);
    const [shared = "", seen = ""] = ofPurpose(world, "shared");
    for (const id of [user, shared]) world.graph.mailboxes.setState(id, { kind: "denied" });
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world).filter((id) => id !== shared));
    expect(await rowOf(world, seen)).toMatchObject({ mailboxKind: "shared" });
    expect((await directoryOf(world)).leftOut).toMatchObject({ notLookedAt: 1 });
    const { batches } = asked(world);
    await world.discover();
    expect(batches.flat().filter((id) => id === user)).toEqual([]);
    expect(batches.flat().length).toBeLessThanOrEqual(2);
  });

  test("I3: for one mailbox alone that there is news of, it stands for nobody else, and nothing is asked for", async () => {
    const world = await mixedTenant({ usersPerPage: 500 });
    await world.discover();
    const [denied = ""] = ofPurpose(world, "shared");
    world.graph.mailboxes.setState(denied, { kind: "denied" });
    world.graph.mailboxes.updateUser(denied, { displayName: "Out of reach" });
    await world.discover();
    expect(await directoryOf(world)).toMatchObject({ kindProbe: null, kindRequests: 2 });
    const [id = ""] = people(world);
    world.graph.mailboxes.convert(id, "shared");
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared" });
    expect(world.logged.at(-1)).not.toContain("grant");
  });

  test("for the first mailboxes that it meets, others are mirrored all the same: it stands for nobody there is news of", async () => {
    const world = await mixedTenant({ usersPerPage: 500 });
    world.graph.switchMailboxSettings(false);
    await world.discover();
    const { kindProbe } = await directoryOf(world);
    world.graph.switchMailboxSettings(true);
    world.graph.mailboxes.setState(kindProbe ?? "", { kind: "denied" });
    const late = ofPurpose(world, "shared", "room").find((id) => id !== kindProbe) ?? "";
    world.graph.mailboxes.updateUser(late, { displayName: "There now" });
    const { batches } = asked(world);
    await world.discover();
    expect(batches).toEqual([[kindProbe, late]]);
    expect(await rowOf(world, late)).toMatchObject({ state: "active", mailboxKind: "shared" });
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world).filter((id) => id !== kindProbe));
  });

  test.each([directory, group])(
    "of $kind, for all of its first pages, the others are found, and no round is read again for it",
    async (source) => {
      const world = await mixedTenant({ source, mailboxes: 300 });
      const ids = world.graph.mailboxes.ids();
      const denied: KindAnswer = { kind: "denied", code: "ErrorAccessDenied" };
      const isDenied = (id: string) => ids.indexOf(id) < 150 || ids.indexOf(id) % 3 === 0;
      const seen: boolean[] = [];
      for (let hour = 0; hour < 6; hour++) {
        await pass(world, (id) => (isDenied(id) ? denied : null));
        seen.push((await directoryOf(world)).isFull);
        world.clock.ms += hourMs;
      }
      const reached = wanted(world).filter((id) => !isDenied(id) || people(world).includes(id));
      expect(await alive(world)).toEqual(reached);
      expect(await directoryOf(world)).toMatchObject({ kindProbe: null });
      if (source.kind === "directory") expect(seen).toEqual([true, true, false, false, false, false]);
    },
  );

  test("I3: for all of a page, one whose kind is known shows that it is there, and later pages are asked", async () => {
    const world = await mixedTenant();
    const [first = "", ...others] = people(world);
    const ids = world.graph.mailboxes.ids();
    const isDenied = (id: string) => ids.indexOf(id) >= 50;
    const denied: KindAnswer = { kind: "denied", code: "ErrorAccessDenied" };
    await pass(world, (id) => (isDenied(id) ? denied : null));
    expect(await directoryOf(world)).toMatchObject({ kindProbe: null });
    expect(ids.indexOf(first)).toBeLessThan(50);
    world.clock.ms += 8 * dayMs;
    const gone = others.filter((id) => !isDenied(id)).slice(0, 2);
    for (const id of gone) world.graph.mailboxes.setPurpose(id, "shared");
    await pass(world, (id) => (isDenied(id) ? denied : null));
    expect(await directoryOf(world)).toMatchObject({ isFull: true, kindProbe: null });
    for (const id of gone) expect(await rowOf(world, id)).toMatchObject({ mailboxKind: "shared" });
    await pass(world, () => denied);
    expect(await alive(world)).toEqual(wanted(world).filter((id) => !isDenied(id) || people(world).includes(id)));
  });

  test("an account without a mailbox says nothing of it: what to grant is told, and once granted all are looked at", async () => {
    const world = await mixedTenant();
    const none: KindAnswer = { kind: "none", code: "MailboxNotEnabledForRESTAPI" };
    const denied: KindAnswer = { kind: "denied", code: "ErrorAccessDenied" };
    // One on each page.
    const [one = ""] = people(world);
    const other = people(world).at(-1) ?? "";
    await pass(world, (id) => (id === one || id === other ? none : denied));
    const state = await directoryOf(world);
    expect(state.leftOut).toMatchObject({ disabled: 0, notLookedAt: disabled(world).length });
    expect(disabled(world)).toContain(state.kindProbe);
    expect(state.kindRequests).toBe(4);
    await pass(world, (id) => (id === state.kindProbe ? none : denied));
    await pass(world, () => denied);
    expect((await directoryOf(world)).kindProbe).not.toBeNull();
    await world.discover();
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world));
  });

  test("I3: who is known as shared stays while it is taken away; nobody leaves, at the audit neither", async () => {
    const world = await mixedTenant();
    await world.discover();
    const before = await alive(world);
    world.graph.switchMailboxSettings(false);
    for (let day = 0; day < 30; day += 3) {
      world.clock.ms += 3 * dayMs;
      world.graph.mailboxes.updateUser(ofPurpose(world, "room")[0] ?? "", { displayName: `Room on day ${day}` });
      expect(await world.discover()).toBe("done");
      expect(await alive(world)).toEqual(before);
    }
  });

  test("a user whose sign-in is disabled leaves as before, and comes back by itself when the mailbox can be looked at", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = people(world);
    world.graph.switchMailboxSettings(false);
    world.graph.mailboxes.convert(id, "shared");
    await world.discover();
    expect((await world.states()).get(id)).toBe("suspended");
    world.graph.switchMailboxSettings(true);
    await world.discover();
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared" });
  });
});

describe("answers that fail", () => {
  test("I3: have the page asked again, where those that were told are not asked again", async () => {
    const world = await mixedTenant({ usersPerPage: 100 });
    const { batches } = asked(world);
    world.graph.faults.add({ kind: "throttled", on: "settings", seconds: 5, count: 3 });
    const beganMs = world.clock.ms;
    expect(await world.discover()).toBe("done");
    expect(await alive(world)).toEqual(wanted(world));
    expect(world.clock.ms - beganMs).toBeGreaterThanOrEqual(5_000);
    expect(batches.flat().length).toBeLessThanOrEqual(100 + 3);
    expect((await directoryOf(world)).kindRequests).toBe(batches.length);
  });

  test("I3, I10: for ever leave those alone as they are, hold up nobody else, and are tried again a day later", async () => {
    const world = await mixedTenant();
    const [shared = ""] = ofPurpose(world, "shared");
    const [user = ""] = people(world);
    const fails = (id: string) => (id === shared || id === user ? failed : null);
    const hours: string[] = [];
    while (hours.at(-1) !== "done" && hours.length < 24) {
      hours.push(await pass(world, fails));
      world.clock.ms += hourMs;
    }
    expect(hours.at(-1)).toBe("done");
    expect(await alive(world)).toEqual(wanted(world).filter((id) => id !== shared));
    expect((await directoryOf(world)).leftOut?.notLookedAt).toBe(1);
    expect(world.logged.some((line) => line.startsWith("error users left out"))).toBe(true);
    for (let hour = 0; hour < 22; hour++) {
      await pass(world, fails);
      expect(await directoryOf(world), "no pass asks Graph for all users because of one").toMatchObject({
        isFull: false,
        kindRequests: 0,
      });
      world.clock.ms += hourMs;
    }
    world.clock.ms += 2 * hourMs;
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world));
  });

  test("I3: take nobody away whose sign-in is disabled just then", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = people(world);
    world.graph.mailboxes.convert(id, "shared");
    for (let hour = 0; hour < 24; hour++) {
      await pass(world, (one) => (one === id ? failed : null));
      expect(await rowOf(world, id)).toMatchObject({ state: "active", leaveReason: null, mailboxKind: "user" });
      world.clock.ms += hourMs;
    }
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared" });
  });

  test("that Graph knows no mailbox is an answer: nobody asks again, and what was known stays", async () => {
    const world = await mixedTenant({ source: group });
    const [id = "", known = ""] = ofPurpose(world, "shared");
    const none: KindAnswer = { kind: "none", code: "MailboxNotEnabledForRESTAPI" };
    await pass(world, (one) => (one === id ? none : null));
    expect(await rowOf(world, id)).toMatchObject({
      state: "suspended",
      mailboxKind: "unknown",
      leaveReason: "disabled",
    });
    const { batches } = asked(world);
    await world.discover();
    expect(batches).toEqual([]);
    world.clock.ms += 8 * dayMs;
    await pass(world, (one) => (one === known ? none : null));
    expect(await rowOf(world, known)).toMatchObject({ state: "active", mailboxKind: "shared" });
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared" });
  });
});

test("I3: users who are told in part, with no word of their sign-in, change no kind and lose nobody", async () => {
  const world = await mixedTenant();
  await world.discover();
  const before = await alive(world);
  world.graph.faults.add({ kind: "partialItems", on: "directory" });
  world.graph.faults.add({ kind: "toldAgainInPart" });
  for (const id of ofPurpose(world, "shared", "room")) world.graph.mailboxes.updateUser(id, { displayName: "Renamed" });
  await world.discover();
  world.clock.ms += 8 * dayMs;
  await world.discover();
  expect(await alive(world)).toEqual(before);
  expect(await checkpointOf(world, ofPurpose(world, "room")[0] ?? "")).toMatchObject({
    displayName: "Renamed",
    mailboxKind: "room",
  });
});

test("I3: whose address a full round leaves out is looked up before it leaves because of its sign-in", async () => {
  const world = await mixedTenant();
  await world.discover();
  const [id = ""] = people(world);
  world.graph.mailboxes.convert(id, "shared");
  world.clock.ms += 8 * dayMs;
  const handle = world.graph.handle;
  world.graph.handle = (request) => {
    const answer = handle(request);
    if (!request.url.includes("/users/delta")) return answer;
    return { ...answer, body: withoutMailOf(id, answer.body) };
  };
  await world.discover();
  expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared" });
});

/** A page of users that leaves out one user's address. */
function withoutMailOf(id: string, body: string): string {
  const page = JSON.parse(body) as { readonly value: readonly Readonly<Record<string, unknown>>[] };
  const value = page.value.map(({ mail, ...user }) => (user["id"] === id ? user : { ...user, mail }));
  return JSON.stringify({ ...page, value });
}

describe("a tenant of 10,000 accounts, 12 % shared, rooms and equipment, 3 % leavers of which a third become shared", () => {
  const large = { mailboxes: 10_000, usersPerPage: 500, shards: 16 };
  const convertThird = (world: Fleet) => {
    const gone = leavers(world);
    for (const id of gone.slice(0, gone.length / 3)) world.graph.mailboxes.convert(id, "shared");
    return gone.length;
  };

  test("after two passes the roster is exactly the mailboxes that Graph knows", async () => {
    const world = await mixedTenant(large);
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world));
    expect((await directoryOf(world)).kindRequests).toBeLessThanOrEqual(10 * 55 - 20);
    expect(convertThird(world)).toBe(300);
    world.clock.ms += 7 * dayMs;
    await world.discover();
    expect(await alive(world)).toEqual(wanted(world));
    expect((await directoryOf(world)).leftOut).toMatchObject({ disabled: 200, notLookedAt: 0 });
    expect(ofPurpose(world, "shared", "room", "equipment")).toHaveLength(1_300);
  }, 120_000);

  test("I3: without the permission nobody is lost, and the figure of accounts not looked at is right", async () => {
    const world = await mixedTenant(large);
    world.graph.switchMailboxSettings(false);
    await world.discover();
    convertThird(world);
    world.clock.ms += 7 * dayMs;
    await world.discover();
    expect(await alive(world)).toEqual(people(world).sort());
    expect((await directoryOf(world)).leftOut).toMatchObject({ disabled: 0, notLookedAt: 1_500 });
  }, 120_000);
});
