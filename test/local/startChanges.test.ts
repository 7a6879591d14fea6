import { expect, test } from "vitest";
import type { Told } from "../../local/start/receiver.js";
import { changesTexts, changeText } from "../../local/start/screen.js";
import { historyIdOf, loggedMsOf, type ShownChange, shownOf } from "../../local/start/shown.js";
import { movesOf } from "../../shared/push/logNotifications.js";
import type { Notification } from "../../shared/push/notification.js";
import { readHistory } from "../../shared/views/history.js";
import { discovered } from "../worlds/fleet.js";
import { isMirrored } from "../worlds/simulator.js";

/** As `npm start` receives it. */
function toldOf({ id, changeType, subject }: Notification): Told {
  const about = subject.kind === "user" ? "mailbox" : subject.kind;
  const calendarId = subject.kind === "calendar" ? subject.calendarId : null;
  return { id, changeType, mailboxId: subject.mailboxId, about, calendarId };
}

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
  let place = { number: 0, entries: 0, sent: 0 };
  /** What a subscriber is told of since the last time, beside the history of all. */
  const told = async () => {
    const rows = await world.store.readLog("00", { after: place.number, upTo: null, top: 1_000 });
    const moves = movesOf("00", rows, place, { mailboxId: null, changeTypes: ["created", "updated", "deleted"] });
    place = moves.at(-1)?.place ?? place;
    const filter = { mailboxId: null, sinceMs: null, untilMs: null, kind: null, owner: null };
    const { items } = await readHistory({ filter, top: 500, from: null }, world.store, ["00"]);
    return { told: moves.flatMap(({ notification }) => (notification === null ? [] : [toldOf(notification)])), items };
  };
  const shown = async (editedMsOf: (mailboxId: string, calendarId: string) => number | null = () => null) => {
    const all = await told();
    return shownOf(all.told, all.items, 0, editedMsOf);
  };
  const texts = async () => (await shown()).map((change) => changeText({ ...change, secondsSinceLogged: null }));
  await world.tick();
  expect(await texts()).toEqual(["Samantha Booth  is mirrored now"]);
  return { ...world, mailboxId, names, read, told, shown, texts };
}

test.each([
  ["by delta", false],
  ["by a full round after a lost link", true],
])(
  "I3, I11: six shared calendars that move at once are %s six replacements: none is lost, none held",
  async (_, isLinkLost) => {
    const { graph, mailboxId, names, tick, read, texts } = await mailboxWithShared();
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
    expect((await texts()).sort()).toEqual(
      names.map((name) => `Samantha Booth  moved  "${name}": another id, name and owner kept`).sort(),
    );
  },
);

test("each notification finds what the history tells of the same change", async () => {
  const { graph, mailboxId, tick, told } = await mailboxWithShared();
  const [first, second] = graph.truth(mailboxId);
  graph.renameCalendar(mailboxId, first?.id ?? "", "First");
  graph.updateCalendar(mailboxId, second?.id ?? "", { color: "lightRed" });
  const made = graph.createCalendar(mailboxId, { name: "Made" });
  graph.moveCalendars(mailboxId);
  await tick();
  graph.deleteCalendar(mailboxId, made.id);
  await tick();
  const { told: all, items } = await told();
  const byId = new Map(items.map((item) => [item.id, item]));
  const kinds = { created: ["created", "replaced"], updated: ["updated"], deleted: ["removed", "replaced"] };
  expect(all.length).toBeGreaterThan(10);
  for (const { id, changeType, calendarId } of all) {
    const item = byId.get(historyIdOf(id));
    expect(kinds[changeType]).toContain(item?.kind);
    expect([item?.calendar?.id, item?.replacedId]).toContain(calendarId);
    expect(loggedMsOf(id)).toBe(Date.parse(item?.time ?? ""));
  }
});

test("an update is shown with what it was before, and how long ago it was edited", async () => {
  const { graph, mailboxId, tick, shown } = await mailboxWithShared();
  const [first, second] = graph.truth(mailboxId);
  graph.renameCalendar(mailboxId, first?.id ?? "", "First");
  graph.updateCalendar(mailboxId, second?.id ?? "", { name: "Second", color: "lightRed" });
  await tick();
  const changes = await shown((_, calendarId) => (calendarId === first?.id ? -6_200 : null));
  expect(changes.map((change) => changeText({ ...change, secondsSinceLogged: 0.44 }))).toEqual([
    'Samantha Booth  renamed  "Calendar" → "First"  (6.2 s after the edit)',
    'Samantha Booth  updated  "Second": name "Birthdays" → "Second", color "auto" → "lightRed"  (0.4 s after it was logged)',
  ]);
});

const plain: ShownChange = {
  notification: "n",
  mailbox: "m1",
  displayName: "Samantha Booth",
  what: "created",
  calendar: "c",
  name: "Plans",
  replaces: null,
  before: null,
  after: null,
  count: 0,
  secondsSinceEdit: null,
  secondsSinceLogged: null,
};

test("a change is shown with the mailbox's name, or its id where nobody named it, and controls no terminal", () => {
  expect(changeText(plain)).toBe('Samantha Booth  created  "Plans"');
  expect(changeText({ ...plain, displayName: null })).toBe('m1  created  "Plans"');
  expect(changeText({ ...plain, displayName: "", what: "removed" })).toBe('m1  removed  "Plans"');
  expect(changeText({ ...plain, displayName: "\u001b[2JBooth\u202e", name: "\u009b" })).toBe(
    '\\u001b[2JBooth�  created  "�"',
  );
  const hostile = { before: { "\u009bx": "\u001b[2J" }, after: { "\u009bx": { deep: "\u202e" } } };
  expect(changeText({ ...plain, what: "updated", ...hostile })).toBe(
    'Samantha Booth  updated  "Plans": �x "\\u001b[2J" → {"deep":"�"}',
  );
});

test("what the history does not tell is shown by what the notification says", () => {
  const told: Told = { id: "?", changeType: "deleted", mailboxId: "m1", about: "calendar", calendarId: "c1" };
  const texts = (one: Partial<Told>) => shownOf([{ ...told, ...one }], [], 0, () => null).map(changeText);
  expect(texts({})).toEqual(['m1  deleted  "c1"']);
  expect(texts({ about: "mailbox", calendarId: null })).toEqual(["m1  has left"]);
  expect(texts({ about: "calendars", calendarId: null, changeType: "updated" })).toEqual([
    "m1  calendars have changed",
  ]);
});

test("a long value, many properties and many changes of one request are cut short, and counted", () => {
  const before = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, "x".repeat(500)]));
  const [text = ""] = changesTexts([{ ...plain, what: "updated", before, after: {} }]);
  expect(text).toMatch(/^Samantha Booth {2}updated {2}"Plans": a "x{59}… → nothing, .*, and 2 more$/);
  const many = changesTexts(Array.from({ length: 30 }, () => plain));
  expect(many).toHaveLength(21);
  expect(many.at(-1)).toBe("and 10 more changes");
  const joined = Array.from({ length: 50 }, () => ({ ...plain, what: "joined", calendar: null, name: null }) as const);
  expect(changesTexts([...joined, plain])).toEqual(["50 mailboxes are mirrored now", changeText(plain)]);
  expect(changesTexts(joined.slice(0, 1))).toEqual(["Samantha Booth  is mirrored now"]);
});
