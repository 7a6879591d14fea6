import type { UnreadableRow } from "../store/logRow.js";
import type { LogRow } from "../sync/changeLog.js";

/**
 * What stands behind a place in a log. `rows`: the next ones, without a gap. `missed`: nobody can tell any more what stood there, up to
 * this number. `why` is for operators: which row of which shard.
 */
export type AfterPlace =
  | { readonly kind: "rows"; readonly rows: readonly [LogRow, ...LogRow[]] }
  | { readonly kind: "missed"; readonly upTo: number; readonly why: string };

/**
 * What stands behind the row of a number, given what was read of the log. A row that is gone, or cannot be read, stops nobody: what stands
 * behind it comes next.
 * @param number Of the last row that was told whole; 0: none was.
 * @param upTo The number of the log's last row, as it was found before.
 * @param read Rows from that number itself on, in their order: some of them or all.
 */
export function afterPlace(
  shard: string,
  number: number,
  upTo: number,
  read: readonly (LogRow | UnreadableRow)[],
): AfterPlace {
  const behind = read.filter((row) => row.number > number);
  const rows = behind.filter((row, index) => row.number === number + 1 + index);
  const [first] = rows;
  if (first === undefined) {
    const next = behind[0]?.number ?? upTo + 1;
    return {
      kind: "missed",
      upTo: next - 1,
      why: `The log of shard ${shard} does not hold row ${number + 1} any more.`,
    };
  }
  if ("unreadable" in first) return { kind: "missed", upTo: first.number, why: first.unreadable };
  const readable: LogRow[] = [];
  for (const row of rows.slice(1)) {
    if ("unreadable" in row) break;
    readable.push(row);
  }
  return { kind: "rows", rows: [first, ...readable] };
}
