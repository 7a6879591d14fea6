import type { Mutant } from "./mutant.js";

const property = ["test/views/historyProperty.test.ts"];
const examples = ["test/views/history.test.ts"];
const file = "shared/views/history.ts";

/** Faults in how the change log is read backwards, page by page. */
export const inTheHistory: readonly Mutant[] = [
  {
    name: "tell a row of the log again that the page before was cut in",
    file,
    from: `const below = row.number === from.number ? from.below : null;`,
    to: `const below = null;`,
    unit: property,
  },
  {
    name: "merge logs by time before all are read so far back",
    file,
    from: `isOpen(lane) && (lane.readBackToMs > atMs || (lane.readBackToMs === atMs && index < behind))`,
    to: `isOpen(lane) && lane.readBackToMs === Number.POSITIVE_INFINITY && index !== behind`,
    unit: property,
  },
  {
    name: "go on behind the rows that were read, though more matched than fits a page",
    file,
    from: `    lane.next = row.number;\n`,
    to: ``,
    unit: property,
  },
  {
    name: "take rows that a purge has emptied for others' places",
    file,
    from: `slot: slots.leftOut, kind: "leftOut" as const`,
    to: `slot: 0, kind: "leftOut" as const`,
    unit: examples,
  },
  {
    name: "begin at the first row that is too new by another instance's clock",
    file,
    from: `row.atMs < untilMs + historyLimits.clocksDifferMsMax`,
    to: `row.atMs < untilMs`,
    unit: examples,
  },
  {
    name: "end at the first row that is too old by another instance's clock",
    file,
    from: `filter.sinceMs - historyLimits.clocksDifferMsMax`,
    to: `filter.sinceMs`,
    unit: examples,
  },
  {
    name: "read a log to its end for one page, however few rows match",
    file,
    from: ` || rowsRead >= historyLimits.rowsPerPageMax`,
    to: ``,
    unit: examples,
  },
  {
    name: "show nothing where a mailbox that is named cannot be read",
    file,
    from: `if (error instanceof RowError) return nameless(id);`,
    to: ``,
    unit: examples,
  },
];
