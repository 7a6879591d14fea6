import type { World } from "./world.js";

/**
 * Somebody who reads the mirror while it is being written. `step` is called at any time between two transactions,
 * `check` after each transaction, `finish` when the calm is over.
 */
export type Reader = {
  readonly name: string;
  step(world: World): void | Promise<void>;
  check(world: World): void;
  finish(world: World): void | Promise<void>;
};

type Copy = { epoch: string; sequence: number; readonly alive: Map<string, string> };

/**
 * Keeps a copy of every mailbox by sequences alone: at each visit only rows with a higher sequence are taken. If it
 * ends with the same calendars, sequences and tombstones tell all that a feed needs (I6).
 */
export function sequenceReader(): Reader {
  const copies = new Map<string, Copy>();
  const visit = (world: World): void => {
    for (const mailboxId of copies.keys()) if (!world.oracle.mailboxes.has(mailboxId)) copies.delete(mailboxId);
    for (const [mailboxId, { checkpoint, rows }] of world.oracle.mailboxes) {
      if (checkpoint === null) continue;
      const known = copies.get(mailboxId);
      const isFirst =
        known === undefined || known.epoch !== checkpoint.epoch || known.sequence < checkpoint.retiredSequence;
      const copy: Copy = isFirst ? { epoch: checkpoint.epoch, sequence: 0, alive: new Map() } : known;
      for (const row of rows.values()) {
        if (row.sequence <= copy.sequence) continue;
        if (row.isRemoved) copy.alive.delete(row.calendarId);
        else copy.alive.set(row.calendarId, row.text);
      }
      copy.sequence = checkpoint.sequence;
      copies.set(mailboxId, copy);
      compare(world, mailboxId, copy);
    }
  };
  return { name: "sequences", step: visit, check: () => undefined, finish: visit };
}

function compare(world: World, mailboxId: string, copy: Copy): void {
  const { checkpoint, rows } = world.oracle.mailbox(mailboxId);
  if (checkpoint?.parkedReason === "removing") return; // Its rows are going; whoever reads it is told so.
  const alive = [...rows.values()].filter(({ isRemoved }) => !isRemoved);
  const stale = alive.find(({ calendarId, text }) => copy.alive.get(calendarId) !== text);
  if (stale === undefined && alive.length === copy.alive.size) return;
  const seen =
    stale === undefined ? `${copy.alive.size} calendars of ${alive.length}` : `another ${stale.calendarId.slice(-12)}`;
  world.oracle.report("I6", `${mailboxId}: a copy kept by sequences`, "the mirror's calendars", seen);
}
