import { describe, expect, test } from "vitest";
import { Committer } from "../../shared/rounds/committer.js";
import type { Pending, PendingUnit, ShardClaim, Store } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import { noTimers } from "../worlds/parts.js";

const claim: ShardClaim = { shard: "00", row: { run: null, log: { number: 0, nudgedNumber: 0 } }, etag: "first" };

function unit(id: string): PendingUnit {
  const next = newCheckpoint(id, "epoch", null);
  return { held: { checkpoint: next, etag: "e" }, rows: [], next };
}

/** A committer over a table that answers each transaction as the test says. */
function committerOver(commitUnits: Store["commitUnits"]): Committer {
  return new Committer({ commitUnits } as Store, claim, noTimers, 1_000);
}

const full = (prefix: string) => Array.from({ length: 99 }, (_, index) => unit(`${prefix}${index}`));
const committed = (units: readonly Pending[]) =>
  units.flatMap((one) =>
    "next" in one ? [{ kind: "committed" as const, held: { checkpoint: one.next, etag: "new" } }] : [],
  );

describe("group commit", () => {
  test("a full group goes out at once, the rest when it is drained; each unit gets its own result", async () => {
    const groups: number[] = [];
    const committer = committerOver(async (units, held) => {
      groups.push(units.length);
      return { results: committed(units), claim: held };
    });
    const results = [...full("a"), unit("late")].map((one) => committer.commit(one));
    await committer.room();
    expect([groups, committer.waiting]).toEqual([[99], 1]);
    await committer.drain();
    expect(groups).toEqual([99, 1]);
    const ends = await Promise.all(results);
    expect(ends.map((end) => (end.kind === "committed" ? end.held.checkpoint.mailboxId : end.kind)).at(-1)).toBe(
      "late",
    );
  });

  test("I2: once another run has taken the shard over, what waits and what comes is not written, and learns it", async () => {
    let transactions = 0;
    const committer = committerOver(async (units) => {
      transactions += 1;
      return { results: units.map(() => ({ kind: "lostFence" })), claim: "superseded" };
    });
    const group = full("a").map((one) => committer.commit(one));
    const waiting = committer.commit(unit("waiting"));
    await committer.drain();
    expect(new Set((await Promise.all(group)).map(({ kind }) => kind))).toEqual(new Set(["lostFence"]));
    expect(await waiting).toEqual({ kind: "superseded" });
    expect(await committer.commit(unit("late"))).toEqual({ kind: "superseded" });
    expect(transactions).toBe(1);
  });

  test("a transaction that fails rejects its units, and the drain", async () => {
    const fault = new Error("The table is away.");
    const committer = committerOver(() => Promise.reject(fault));
    const ends = full("a").map((one) => committer.commit(one).catch((error: unknown) => error));
    await expect(committer.drain()).rejects.toBe(fault);
    expect(new Set(await Promise.all(ends))).toEqual(new Set([fault]));
  });
});
