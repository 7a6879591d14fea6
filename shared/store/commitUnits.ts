import type { Table } from "../table/table.js";
import type { ShardClaim } from "./shardClaim.js";
import { commitEntries, type EntryResult, type GroupLimits, roomBeside, sessionOf } from "./transactionGroup.js";
import { departureEntryOf, entryOf, type Held, type Pending } from "./units.js";

/**
 * What became of a unit. `lostFence`: somebody else moved the mailbox, nothing of this unit counts; not an error.
 * `tooLarge`: the table cannot hold it.
 */
export type UnitResult =
  | { readonly kind: "committed"; readonly held: Held }
  /** A departure: the change log has told of it, and it is gone. */
  | { readonly kind: "departed" }
  | { readonly kind: "lostFence" }
  | { readonly kind: "tooLarge"; readonly why: string };

/** What became of all units of a commit, and of the claim that went with them. */
export type Committed = {
  /** In the order of the units. */
  readonly results: readonly UnitResult[];
  readonly claim: ShardClaim | "superseded" | null;
};

/** Commits units of one shard, many whole units per transaction. See `Store.commitUnits`. */
export async function commitUnits(
  table: Table,
  shard: string,
  units: readonly Pending[],
  claim: ShardClaim | null,
  options: { readonly newCommitId: () => string; readonly limits: GroupLimits; readonly loggedMs: number },
): Promise<Committed> {
  if (claim === null && units.some((unit) => "departure" in unit || (unit.entry ?? null) !== null)) {
    throw new RangeError("What the change log is to tell is committed under a claim.");
  }
  const session = sessionOf(table, shard, options, claim);
  const room = roomBeside(claim, options.limits);
  const entries = units.map((unit) =>
    "departure" in unit ? departureEntryOf(shard, unit) : entryOf(shard, unit, room),
  );
  const sendable = entries.filter((entry) => "parts" in entry);
  const committed = await commitEntries(session, sendable, room);
  const results = units.map((unit, index): UnitResult => {
    const entry = entries[index];
    if (entry === undefined) return { kind: "lostFence" };
    if ("tooLarge" in entry) return { kind: "tooLarge", why: entry.tooLarge };
    return resultOf(unit, committed.get(entry));
  });
  return { results, claim: session.isSuperseded ? "superseded" : session.claim };
}

function resultOf(unit: Pending, result: EntryResult = { kind: "lostFence" }): UnitResult {
  switch (result.kind) {
    case "committed":
      if ("departure" in unit) return { kind: "departed" };
      return { kind: "committed", held: { checkpoint: unit.next, etag: result.etag } };
    case "refused":
      return { kind: "tooLarge", why: `refused by the table: ${result.code}` };
    case "lostFence":
      return result;
  }
}
