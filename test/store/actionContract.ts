import { beforeEach, describe, expect, test } from "vitest";
import { actionKey, actionsPartition, isActionKey } from "../../shared/store/keys.js";
import { RowError } from "../../shared/store/store.js";
import type { ActionNote } from "../../shared/sync/operatorAction.js";
import { StorageError } from "../../shared/table/errors.js";
import { type StoreWorld, storeOn, storeWorld } from "../worlds/store.js";
import type { NewTable } from "../worlds/tables.js";

const noteOf = (changed: Partial<ActionNote> = {}): ActionNote => ({
  atMs: 1_000,
  action: "release",
  actor: { kind: "nobody", name: null },
  mailboxId: "mailbox-1",
  subject: null,
  count: null,
  ...changed,
});

/** What every Store must do with the log of actions. */
export function actionContract(name: string, newTable: NewTable): void {
  let world: StoreWorld;
  beforeEach(async () => {
    world = await storeWorld(newTable);
  });
  const noteAll = async (notes: readonly ActionNote[]) => {
    for (const note of notes) await world.store.noteAction(note);
  };
  const all = async (mailboxId: string | null, top: number) => {
    const pages: (readonly ActionNote[])[] = [];
    for (let after: string | null = null; ; ) {
      const page = await world.store.readActions({ after, mailboxId, top });
      pages.push(page.notes);
      if (page.next === null) return pages;
      expect(isActionKey(page.next)).toBe(true);
      after = page.next;
    }
  };

  describe(`${name}: the log of actions`, () => {
    test("comes back as it was noted, all fields of it, the newest first", async () => {
      const notes = [
        noteOf(),
        noteOf({
          atMs: 3_000,
          action: "releaseMany",
          actor: { kind: "user", name: "Zoë <b>O'Brien</b> 😀" },
          mailboxId: null,
          subject: "denied:ErrorAccessDenied",
          count: 27,
        }),
        noteOf({ atMs: 2_000, action: "remove", actor: { kind: "key", name: "0123abcd" } }),
      ];
      await noteAll(notes);
      expect(await all(null, 10)).toEqual([[notes[1], notes[2], notes[0]]]);
    });

    test("is read page by page, each action once, and all of one mailbox", async () => {
      const notes = Array.from({ length: 25 }, (_, index) => noteOf({ atMs: index, mailboxId: `m${index % 2}` }));
      await noteAll(notes);
      const newestFirst = notes.toReversed();
      expect((await all(null, 10)).map((page) => page.length)).toEqual([10, 10, 5]);
      expect((await all(null, 10)).flat()).toEqual(newestFirst);
      const odd = newestFirst.filter(({ mailboxId }) => mailboxId === "m1");
      expect((await all("m1", 5)).flat()).toEqual(odd);
      expect(await all("nobody", 5)).toEqual([[]]);
    });

    test("a text from outside is cut, and is text", async () => {
      const name = "\ud800".padEnd(5_000, "x");
      await world.store.noteAction(noteOf({ actor: { kind: "user", name }, subject: name }));
      const [note] = (await world.store.readActions({ after: null, mailboxId: null, top: 1 })).notes;
      expect(note?.actor.name).toBe("\ufffd".padEnd(320, "x"));
      expect(note?.subject).toHaveLength(320);
    });

    test("what was done earlier is deleted, also where there is much of it, and nothing else", async () => {
      await noteAll(Array.from({ length: 120 }, (_, index) => noteOf({ atMs: index })));
      expect(await world.store.retireActions(117, () => false)).toBe(117);
      expect((await all(null, 200)).flat().map(({ atMs }) => atMs)).toEqual([119, 118, 117]);
      expect(await world.store.retireActions(117, () => false)).toBe(0);
    });

    test("a row that nobody can read is reported and harms no other (I10)", async () => {
      await world.store.noteAction(noteOf());
      const columns = { at: new Date(5_000), action: "explode", actorKind: "key" };
      const rowKey = actionKey(5_000, "id");
      await world.table.transact(actionsPartition, [{ kind: "create", rowKey, columns }]);
      const reported: string[] = [];
      const store = storeOn(world.table, { onUnreadable: (error) => reported.push(error.message) });
      expect((await store.readActions({ after: null, mailboxId: null, top: 9 })).notes).toEqual([noteOf()]);
      expect(reported).toEqual([expect.stringMatching(/cannot be read: column action /)]);
      await expect(world.store.readActions({ after: null, mailboxId: null, top: 9 })).rejects.toThrow(RowError);
    });

    test("a note whose answer was lost is there once", async () => {
      world.loseAnswers(1);
      await expect(world.interferedStore.noteAction(noteOf())).rejects.toThrow(StorageError);
      expect((await all(null, 9)).flat()).toEqual([noteOf()]);
    });
  });
}
