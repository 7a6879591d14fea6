import { expect, test } from "vitest";
import { changesSeen } from "../../local/start/changes.js";
import { changeText } from "../../local/start/screen.js";
import { discovered } from "../worlds/fleet.js";
import { isMirrored } from "../worlds/simulator.js";

/** One mailbox of the product's own discovery and rounds, into which six calendars are shared; and what `npm start` shows of it. */
async function mailboxWithShared() {
  const world = await discovered({ mailboxes: 1, calendars: 2, shards: 1 });
  const mailboxId = world.graph.mailboxes.idAt(0);
  const names = ["Board", "Rota", "Travel", "Lab", "Sales", "Press"];
  for (const name of names) {
    const owner = { name: "Mei Chen", address: "mei.chen@contoso.example" };
    world.graph.createCalendar(mailboxId, { name, owner, isSharedWithMe: true, canShare: false });
  }
  const read = async () => {
    const held = await world.store.readMailbox(mailboxId);
    return { checkpoint: held?.checkpoint, rows: await world.store.readCalendars(mailboxId) };
  };
  const seen = changesSeen({
    calendars: (id) => world.store.readCalendars(id),
    displayName: async (id) => (await world.store.readMailbox(id))?.checkpoint.displayName ?? null,
  });
  const shown = async () => (await seen(mailboxId)).map(changeText);
  await world.tick();
  expect(await shown()).toEqual([]); // The first look: there is nothing to compare with.
  return { ...world, mailboxId, names, read, shown };
}

test.each([
  ["by delta", false],
  ["by a full round after a lost link", true],
])(
  "I3, I11: six shared calendars that move at once are %s six replacements: none is lost, none held",
  async (_, isLinkLost) => {
    const { graph, mailboxId, names, tick, read, shown } = await mailboxWithShared();
    const before = await read();
    const moves = graph.moveCalendars(mailboxId);
    expect(moves).toHaveLength(6);
    if (isLinkLost) graph.mailboxes.forgetLinks(mailboxId);
    await tick();
    const { checkpoint, rows } = await read();
    expect(isMirrored(graph, mailboxId, rows)).toBe(true);
    expect(checkpoint).toMatchObject({ phase: "idle", heldRemovals: null, calendarCount: 8 });
    expect((checkpoint?.generation ?? 0) > (before.checkpoint?.generation ?? 0)).toBe(isLinkLost);
    const gone = rows.filter(({ removedMs }) => removedMs !== null).map(({ calendarId }) => calendarId);
    expect(new Set(gone)).toEqual(new Set(moves.map(({ old }) => old)));
    expect((await shown()).sort()).toEqual(names.map((name) => `Samantha Booth  replaced  "${name}"`).sort());
  },
);

test("a change is shown with the mailbox's name, or its id where nobody named it, and controls no terminal", () => {
  const change = { mailbox: "m1", what: "created", calendar: "c", replaces: null, name: "Plans" } as const;
  expect(changeText({ ...change, displayName: "Samantha Booth" })).toBe('Samantha Booth  created  "Plans"');
  expect(changeText({ ...change, displayName: null })).toBe('m1  created  "Plans"');
  expect(changeText({ ...change, displayName: "", what: "removed" })).toBe('m1  removed  "Plans"');
  expect(changeText({ ...change, displayName: "\u001b[2JBooth\u202e", name: "\u009b" })).toBe(
    '\\u001b[2JBooth�  created  "�"',
  );
});
