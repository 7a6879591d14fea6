import { StorageError } from "../../shared/table/errors.js";
import type { Action, Entity, Table, Transacted } from "../../shared/table/table.js";
import type { Fate, Mortal, Scheduler } from "./scheduler.js";

export type TableHooks = {
  /** Told of each transaction that was applied, before anybody else can see it. */
  readonly applied: (owner: Mortal, partitionKey: string, actions: readonly Action[], etags: readonly string[]) => void;
  /** A refusal that the table makes up for this transaction, or null. */
  readonly refusalOf: (actions: readonly Action[]) => Transacted | null;
  /** Whether the service leaves out which operation was at fault. */
  readonly hidesIndex: () => boolean;
  readonly die: (owner: Mortal) => void;
};

/** The calls of the network that nobody waits for any more: a write whose sender has given up on it. */
const network: Mortal = { name: "network", isDead: false };

/** The table as one process sees it: each request waits for its turn, and some fail, before or after their effect. */
export function faultyTable(table: Table, owner: Mortal, scheduler: Scheduler, hooks: TableHooks): Table {
  const never = () => new Promise<never>(() => undefined);
  const unclear = (partitionKey: string) => new StorageError("simulated", partitionKey, 503, "ServerBusy");

  /** Runs `effect` as fate wills. */
  const through = async <T>(fate: Fate, partitionKey: string, effect: () => Promise<T>): Promise<T> => {
    if (fate === "crashBefore") {
      hooks.die(owner);
      return never();
    }
    if (fate === "fails") throw unclear(partitionKey);
    const result = await effect();
    if (fate === "crashAfter") {
      hooks.die(owner);
      return never();
    }
    if (fate === "lost") throw unclear(partitionKey);
    return result;
  };

  const apply = async (by: Mortal, partitionKey: string, actions: readonly Action[]): Promise<Transacted> => {
    const answer = hooks.refusalOf(actions) ?? (await table.transact(partitionKey, actions));
    if (answer.kind === "done") {
      hooks.applied(by, partitionKey, actions, answer.etags);
      return answer;
    }
    return actions.length > 1 && hooks.hidesIndex() ? { ...answer, index: null } : answer;
  };

  const transact = async (partitionKey: string, actions: readonly Action[]): Promise<Transacted> => {
    const label = () =>
      `${partitionKey} ${actions.map(({ kind, rowKey }) => `${kind} ${shortKey(rowKey)}`).join(", ")}`;
    const fate = await scheduler.gate(owner, "transact", label);
    if (fate === "late") {
      void scheduler
        .gate(network, "effect", () => `late ${label()}`, scheduler.nowMs)
        .then(() => apply(owner, partitionKey, actions));
      throw unclear(partitionKey);
    }
    return through(fate, partitionKey, () => apply(owner, partitionKey, actions));
  };

  async function* pages(
    ...[partitionKey, range, pageSize, options]: Parameters<Table["pages"]>
  ): AsyncIterable<readonly Entity[]> {
    const source = table.pages(partitionKey, range, pageSize, options)[Symbol.asyncIterator]();
    for (;;) {
      const fate = await scheduler.gate(owner, "page", () => `${partitionKey} after ${shortKey(range.after)}`);
      const { value, done } = await through(fate, partitionKey, () => source.next());
      if (done) return;
      yield value;
    }
  }

  return {
    createIfMissing: () => table.createIfMissing(),
    get: async (partitionKey, rowKey, columns) => {
      const fate = await scheduler.gate(owner, "get", () => `${partitionKey} ${shortKey(rowKey)}`);
      return through(fate, partitionKey, () => table.get(partitionKey, rowKey, columns));
    },
    transact,
    pages,
  };
}

/** Keys hold long ids; for a trace their ends tell them apart. */
export function shortKey(rowKey: string): string {
  return rowKey
    .split("|")
    .map((part) => (part.length > 12 ? `…${part.slice(-8)}` : part))
    .join("|");
}
