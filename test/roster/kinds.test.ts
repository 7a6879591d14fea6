import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { discoverMailboxes } from "../../shared/roster/discover.js";
import { type MailboxKind, namesOf } from "../../shared/sync/mailboxKind.js";
import type { Fleet } from "../worlds/fleet.js";
import {
  alive,
  asked,
  checkpointOf,
  directory,
  directoryOf,
  group,
  leavers,
  mixedTenant,
  ofPurpose,
  people,
  purposeOf,
  rowOf,
  wanted,
} from "../worlds/kinds.js";
import { dayMs } from "../worlds/parts.js";

/** Which of the accounts are mirrored, by what their mailboxes are for; and what it costs to know. */

const hourMs = 3_600_000;

describe.each([directory, group])("of $kind, the first pass", (source) => {
  test("mirrors shared mailboxes, rooms and equipment, whose sign-in is disabled, and no leavers", async () => {
    const world = await mixedTenant({ source });
    expect(await world.discover()).toBe("done");
    expect(await alive(world)).toEqual(wanted(world));
    for (const id of ofPurpose(world, "shared", "room", "equipment")) {
      expect(await rowOf(world, id)).toMatchObject({
        state: "active",
        mailboxKind: purposeOf(world, id),
        accountEnabled: false,
        kindAskedMs: world.clock.ms,
      });
      expect(await checkpointOf(world, id)).toMatchObject({ lifecycle: "active", mailboxKind: purposeOf(world, id) });
    }
    expect(leavers(world)).not.toEqual([]);
    expect((await directoryOf(world)).leftOut).toMatchObject({
      disabled: leavers(world).length,
      noMail: 0,
      kind: 0,
      notLookedAt: 0,
    });
  });

  test("keeps a leaver in mind without a mailbox, and not as one who has left lately (I11)", async () => {
    const world = await mixedTenant({ source });
    await world.discover();
    const [leaver = ""] = leavers(world);
    expect(await checkpointOf(world, leaver)).toBeUndefined();
    expect(await rowOf(world, leaver)).toMatchObject({
      state: "suspended",
      leaveReason: "disabled",
      mailboxKind: "user",
      sinceMs: null,
      purgeAfterMs: world.clock.ms + 30 * dayMs,
    });
    expect(await directoryOf(world)).toMatchObject({ leftLately: 0, suspended: 0 });
  });

  test("a quiet pass asks for no kinds, and asks nobody twice", async () => {
    const world = await mixedTenant({ source });
    const { batches } = asked(world);
    await world.discover();
    expect(new Set(batches.flat()).size).toBe(batches.flat().length);
    batches.length = 0;
    for (let hour = 0; hour < 5; hour++) {
      world.clock.ms += hourMs;
      expect(await world.discover()).toBe("done");
      expect((await directoryOf(world)).kindRequests).toBe(0);
    }
    expect(batches).toEqual([]);
  });
});

test("a first pass of 1,000 users takes 55 requests at most, pages and lookups included", async () => {
  let calls = 0;
  const onCall = () => void calls++;
  const world = await mixedTenant({ mailboxes: 1_000, usersPerPage: 500, onCall });
  await world.discover();
  const { kindRequests, pages } = await directoryOf(world);
  expect(calls).toBeLessThanOrEqual(55);
  expect(kindRequests + pages).toBe(calls);
});

describe("conversions", () => {
  test("a user whose mailbox becomes shared stays, with the same epoch", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = people(world);
    const before = await checkpointOf(world, id);
    world.graph.mailboxes.convert(id, "shared");
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "shared", leaveReason: null });
    expect(await checkpointOf(world, id)).toMatchObject({ epoch: before?.epoch, mailboxKind: "shared" });
  });

  test("a shared mailbox that becomes a user's stays", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = ofPurpose(world, "shared");
    world.graph.mailboxes.convert(id, "user");
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "user", accountEnabled: true });
    expect(await checkpointOf(world, id)).toMatchObject({ lifecycle: "active", mailboxKind: "user" });
  });

  test("a leaver is suspended; when the mailbox becomes shared and a page lists it, it resumes with the same epoch", async () => {
    const world = await mixedTenant();
    await world.discover();
    await world.tick();
    const [id = ""] = people(world);
    const epoch = (await checkpointOf(world, id))?.epoch;
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    expect((await world.states()).get(id)).toBe("suspended");
    world.graph.mailboxes.setPurpose(id, "shared");
    world.graph.mailboxes.updateUser(id, { displayName: "Sales" });
    await world.discover();
    expect(await checkpointOf(world, id)).toMatchObject({ lifecycle: "active", epoch, mailboxKind: "shared" });
    expect(await world.store.readCalendars(id)).toHaveLength(3);
  });

  test.each([directory, group])("of $kind, one that no page tells is found by the audit", async (source) => {
    const world = await mixedTenant({ source });
    await world.discover();
    const [id = ""] = people(world);
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    world.graph.mailboxes.setPurpose(id, "room");
    for (let hours = 0; hours < 6 * 24; hours += 12) {
      world.clock.ms += 12 * hourMs;
      await world.discover();
      expect((await world.states()).get(id)).toBe("suspended");
    }
    world.clock.ms += 36 * hourMs;
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ state: "active", mailboxKind: "room" });
    expect((await directoryOf(world)).isFull).toBe(true);
  });

  test("I3, I11: leavers who are held are asked about again: whose mailbox became shared meanwhile stays", async () => {
    const world = await mixedTenant();
    await world.discover();
    const gone = people(world).slice(0, 40);
    for (const id of gone) world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    expect(await world.discover()).toBe("held");
    const [kept = "", ...others] = gone;
    world.graph.mailboxes.setPurpose(kept, "shared");
    expect(await world.discover()).toBe("done");
    const states = await world.states();
    expect(states.get(kept)).toBe("new");
    expect(others.filter((id) => states.get(id) !== "suspended")).toEqual([]);
  });

  test("a shared mailbox that was turned into a leaver's leaves at the audit", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = ofPurpose(world, "shared");
    world.graph.mailboxes.setPurpose(id, "user");
    world.clock.ms += 8 * dayMs;
    expect(await world.discover()).toBe("done");
    expect(await rowOf(world, id)).toMatchObject({ state: "suspended", leaveReason: "disabled", mailboxKind: "user" });
  });
});

describe("ROSTER_KINDS", () => {
  const kinds: readonly MailboxKind[] = ["user", "room"];

  test.each([directory, group])("of $kind, takes those alone, and asks for the others once", async (source) => {
    const world = await mixedTenant({ source, kinds });
    const { batches } = asked(world);
    await world.discover();
    const others = ofPurpose(world, "shared", "equipment");
    expect(await alive(world)).toEqual(wanted(world).filter((id) => !others.includes(id)));
    expect((await directoryOf(world)).leftOut?.kind).toBe(others.length);
    expect(await rowOf(world, others[0] ?? "")).toMatchObject({ state: "suspended", leaveReason: "kind" });
    batches.length = 0;
    await world.discover();
    expect(batches).toEqual([]);
  });

  test("that changes begins a full round, which adds whom it takes now", async () => {
    const world = await mixedTenant({ kinds });
    await world.discover();
    const ports = { ...world.discoverPorts(), kinds: new Set<MailboxKind>(["user", "room", "shared"]) };
    expect((await discoverMailboxes({ discover: "more" }, ports)).kind).toBe("done");
    expect(await directoryOf(world)).toMatchObject({ isFull: true, kinds: namesOf(ports.kinds), kindRequests: 0 });
    const equipment = ofPurpose(world, "equipment");
    expect(await alive(world)).toEqual(wanted(world).filter((id) => !equipment.includes(id)));
  });

  test("I11: that suspends many is held like any shrink, and a kind that is not known is taken", async () => {
    const world = await mixedTenant();
    await world.discover();
    const ports = { ...world.discoverPorts(), kinds: new Set<MailboxKind>(["shared"]) };
    expect((await discoverMailboxes({ discover: "fewer" }, ports)).kind).toBe("held");
    expect(await alive(world)).toEqual(wanted(world));
    const unasked = await mixedTenant();
    unasked.graph.switchMailboxSettings(false);
    await discoverMailboxes({ discover: "fewer" }, { ...unasked.discoverPorts(), kinds: ports.kinds });
    expect(await alive(unasked)).toEqual(people(unasked).sort());
  });
});

describe("those who are left out", () => {
  test("are forgotten after the retention, when nobody lists them any more", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = leavers(world);
    world.graph.mailboxes.remove(id, "deleted");
    for (let day = 0; day <= 31; day++) {
      world.clock.ms += dayMs;
      await world.discover();
    }
    expect(await rowOf(world, id)).toBeUndefined();
    const [listed = ""] = leavers(world);
    expect(await rowOf(world, listed)).toMatchObject({ state: "suspended" });
  });

  test("I2: are not purged when they were added meanwhile", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = leavers(world);
    world.graph.mailboxes.convert(id, "user");
    await world.discover();
    expect(await world.store.purgeMailbox(id, { onlyLeaving: true })).toBe("kept");
    expect(await rowOf(world, id)).toMatchObject({ state: "active", purgeAfterMs: null });
  });

  test("are put on the roster by hand like anybody, and then left alone", async () => {
    const world = await mixedTenant();
    await world.discover();
    const [id = ""] = leavers(world);
    const { isNew, isLeft } = await addMailbox(id, {}, world.store, world.newId, world.clock.ms);
    expect({ isNew, isLeft }).toEqual({ isNew: true, isLeft: false });
    world.clock.ms += 8 * dayMs;
    await world.discover();
    expect(await rowOf(world, id)).toMatchObject({ source: "manual", state: "active", purgeAfterMs: null });
    expect((await world.states()).get(id)).toBe("new");
  });
});

test("a rename reaches the mailbox, name and address together; one that was added by hand keeps its name", async () => {
  const world = await mixedTenant();
  const [id = "", byHand = ""] = people(world);
  await addMailbox(byHand, { displayName: "By hand" }, world.store, world.newId);
  await world.discover();
  await world.tick();
  const before = await checkpointOf(world, id);
  const renamed = { displayName: "Samantha Iyer", userPrincipalName: "samantha.iyer@contoso.example" };
  for (const one of [id, byHand]) world.graph.mailboxes.updateUser(one, renamed);
  await world.discover();
  expect((await directoryOf(world)).kindRequests).toBe(0);
  expect(await checkpointOf(world, id)).toEqual({ ...before, ...renamed });
  expect(await rowOf(world, id)).toMatchObject(renamed);
  expect(await checkpointOf(world, byHand)).toMatchObject({ displayName: "By hand", userPrincipalName: null });
});

describe("rows of a release that knew no kinds", () => {
  /** The world as such a release left it. */
  async function ofBefore(): Promise<Fleet> {
    const world = await mixedTenant();
    world.graph.switchMailboxSettings(false);
    await world.discover();
    for (const id of people(world)) {
      const [held, mailbox] = [await world.store.roster.read(id), await world.store.readMailbox(id)];
      if (held === null || mailbox === null) throw new Error("A person has no mailbox.");
      const next = { ...mailbox.checkpoint, userPrincipalName: null };
      const row = { ...held.row, accountEnabled: null };
      await world.store.roster.commit([{ row, etag: held.etag, checkpoint: { next, etag: mailbox.etag } }]);
    }
    const before = await world.store.readDirectory();
    if (before === null) throw new Error("The roster was never discovered.");
    await world.store.writeDirectory({ ...before.state, kinds: "", kindProbe: null, leftOut: null }, before.etag);
    return world;
  }

  test.each([true, false])("are told all by a full round, which comes first (permission: %s)", async (isGranted) => {
    const world = await ofBefore();
    world.graph.switchMailboxSettings(isGranted);
    const [id = ""] = people(world);
    const epoch = (await checkpointOf(world, id))?.epoch;
    await world.discover();
    expect((await directoryOf(world)).isFull).toBe(true);
    expect(await alive(world)).toEqual(isGranted ? wanted(world) : people(world).sort());
    expect(await checkpointOf(world, id)).toMatchObject({
      epoch,
      userPrincipalName: expect.stringContaining("@"),
      mailboxKind: isGranted ? "user" : "unknown",
    });
    await world.discover();
    expect((await directoryOf(world)).isFull).toBe(false);
  });
});
