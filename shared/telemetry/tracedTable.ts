import { isMailboxKey } from "../store/keys.js";
import type { Action, Table, Transacted } from "../table/table.js";
import { mailboxHash } from "./mailboxHash.js";
import type { Attributes, Telemetry } from "./telemetry.js";

/** The table, with a span for each transaction. The partition is the shard. */
export function tracedTable(table: Table, telemetry: Telemetry): Table {
  return {
    ...table,
    transact: (partitionKey, actions) => {
      const attributes = { "calendar_mirror.shard": partitionKey, ...aboutOf(actions) };
      return telemetry.span("table transaction", { kind: "client", attributes }, async (span) => {
        const end = await table.transact(partitionKey, actions);
        span.set({ "calendar_mirror.outcome": outcomeOf(end) });
        if (end.kind === "refused" && end.reason !== "conflict") span.fail(end.reason); // A conflict is a twin ahead.
        return end;
      });
    },
  };
}

/** Units are counted by their checkpoints: each has one. */
function aboutOf(actions: readonly Action[]): Attributes {
  const checkpoints = actions.filter(({ rowKey }) => isMailboxKey(rowKey));
  const counts = { "calendar_mirror.operations": actions.length, "calendar_mirror.units": checkpoints.length };
  const [only] = checkpoints;
  const id = checkpoints.length === 1 && only !== undefined && "columns" in only ? only.columns["mailboxId"] : null;
  return typeof id === "string" ? { ...counts, "calendar_mirror.mailbox": mailboxHash(id) } : counts;
}

function outcomeOf(end: Transacted): string {
  return end.kind === "done" ? "done" : end.reason;
}
