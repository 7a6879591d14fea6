import { expect, test } from "vitest";
import { MIXED_TENANT } from "../../local/graph/accounts.js";
import { differences } from "../../local/start/compare.js";
import { knownKinds } from "../../shared/sync/mailboxKind.js";
import { stateOf } from "../../shared/sync/state.js";
import { discovered } from "../worlds/fleet.js";

const allKinds = new Set<string>(knownKinds);

/** A mirror of a mixed tenant after its first pass and tick, and the comparison that `npm start --roster directory` makes. */
async function mirrored(rosterKinds: ReadonlySet<string> | null = allKinds) {
  const world = await discovered({ mailboxes: 60, calendars: 2, perHundred: MIXED_TENANT });
  await world.tick();
  const { graph, store } = world;
  const simulator = {
    async *truth() {
      for (const id of graph.mailboxes.ids()) {
        const user = graph.mailboxes.user(id);
        const purpose = graph.mailboxes.purpose(id);
        yield {
          id,
          displayName: user.displayName,
          purpose,
          user,
          calendars: graph.truth(id).map((one) => ({ ...one })),
        };
      }
    },
  };
  const view = {
    isMirrored: async (id: string) => {
      const held = await store.readMailbox(id);
      return held !== null && stateOf(held.checkpoint) !== "suspended";
    },
    calendars: (id: string) => store.readCalendars(id),
  };
  return { ...world, compare: () => differences({ simulator, view, mailboxes: 60, rosterKinds }) };
}

test("I3: shared mailboxes, rooms and equipment are mirrored; guests and leavers are not, and nothing differs", async () => {
  const { compare, graph } = await mirrored();
  const { different, compared } = await compare();
  expect(different).toEqual([]);
  const disabled = graph.mailboxes.ids().filter((id) => !graph.mailboxes.user(id).accountEnabled);
  const leavers = disabled.filter((id) => graph.mailboxes.purpose(id) === "user");
  const guests = graph.mailboxes.ids().filter((id) => graph.mailboxes.user(id).userType === "Guest");
  expect([disabled.length > leavers.length, leavers.length > 0, guests.length > 0]).toEqual([true, true, true]);
  expect(compared).toBe(60 - leavers.length - guests.length);
});

test("who should be mirrored and is not differs, and so does who should not be and is", async () => {
  const { compare, graph } = await mirrored();
  const ids = graph.mailboxes.ids();
  const shared = ids.find((id) => graph.mailboxes.purpose(id) === "shared") ?? "";
  const leaver = ids.find((id) => {
    const { accountEnabled } = graph.mailboxes.user(id);
    return !accountEnabled && graph.mailboxes.purpose(id) === "user";
  });
  graph.mailboxes.convert(leaver ?? "", "shared");
  graph.mailboxes.setPurpose(shared, "user");
  expect(new Set((await compare()).different)).toEqual(new Set([leaver, shared]));
});

test("kinds that the roster does not take are not expected", async () => {
  const { compare, graph } = await mirrored(new Set(["user", "shared", "equipment"]));
  const rooms = graph.mailboxes.ids().filter((id) => graph.mailboxes.purpose(id) === "room");
  expect((await compare()).different).toEqual(rooms);
});

test("a mailbox whose calendars changed since differs; of a roster by hand, whoever is not on it", async () => {
  const { compare, graph } = await mirrored();
  const [id = ""] = graph.mailboxes.ids();
  graph.renameCalendar(id, graph.truth(id)[0]?.id ?? "", "Renamed");
  expect((await compare()).different).toEqual([id]);
  const byHand = await mirrored(null);
  const { different, compared } = await byHand.compare();
  expect(different).toHaveLength(60 - compared);
});
