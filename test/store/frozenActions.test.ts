import { expect, test } from "vitest";
import { readActions } from "../../shared/store/actionRows.js";
import { actionsPartition } from "../../shared/store/keys.js";
import { operatorActions } from "../../shared/sync/operatorAction.js";
import { releases, upgraded } from "./releases.js";

/** The log of actions as releases have left it: who did what stays readable for as long as it is kept. */
const withActions = releases.filter(({ rows }) => rows.some(({ partitionKey }) => partitionKey === actionsPartition));

test("there is a release that has left some", () => {
  expect(withActions.length).toBeGreaterThan(0);
});

test.each(withActions)(
  "rows of release $release: each action is read, who did it and of what, newest first",
  async ({ rows }) => {
    const { table } = await upgraded(rows);
    const { notes, next } = await readActions(table, { after: null, mailboxId: null, top: 100 }, undefined);
    expect(next).toBeNull();
    expect(notes).toHaveLength(rows.filter(({ partitionKey }) => partitionKey === actionsPartition).length);
    const byAction = Object.fromEntries(notes.map((note) => [note.action, note]));
    const mailboxId = byAction["sync"]?.mailboxId ?? "";
    expect(mailboxId).not.toBe("");
    expect(byAction).toMatchObject({
      sync: { actor: { kind: "user", name: "Zoë Young" }, mailboxId, subject: null, count: null },
      resync: { actor: { kind: "key", name: "0123abcd" }, mailboxId },
      release: { actor: { kind: "nobody", name: null }, mailboxId },
      add: { mailboxId },
      remove: { mailboxId },
      releaseMany: { mailboxId: null, subject: "denied:ErrorAccessDenied", count: 27 },
      releaseBrake: { mailboxId: null, subject: null, count: null },
      discover: { mailboxId: null },
      releaseRoster: { mailboxId: null },
      pauseSubscription: { mailboxId: null, subject: "subscription" },
      resumeSubscription: { subject: "subscription" },
      replaySubscription: { subject: "subscription" },
    });
    const times = notes.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((one, other) => other - one));
    expect(notes.every(({ action }) => operatorActions.includes(action))).toBe(true);
    const ofOne = await readActions(table, { after: null, mailboxId, top: 100 }, undefined);
    expect(ofOne.notes.map(({ action }) => action)).toEqual(["remove", "add", "release", "resync", "sync"]);
  },
);
