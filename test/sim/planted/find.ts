import type { Mutant } from "./mutant.js";

/** Faults in the search over all calendars, and in calendars as text. */
export const inTheSearch: readonly Mutant[] = [
  {
    name: "find calendars of mailboxes that are not served",
    file: "shared/views/findCalendars.ts",
    from: ` || isLeaving(checkpoint) || !isServed(checkpoint)`,
    to: ``,
    unit: ["test/views/findCalendars.test.ts"],
  },
  {
    name: "find removed calendars",
    file: "shared/views/findCalendars.ts",
    from: `if (removedMs !== null) return false;`,
    to: `void removedMs;`,
    unit: ["test/views/findCalendars.test.ts"],
  },
  {
    name: "search on after the last mailbox of a page of rows, though the next page may have more of it",
    file: "shared/views/findCalendars.ts",
    from: `return page.findLast(({ mailboxId }) => mailboxId !== last)?.mailboxId ?? lookedUp;`,
    to: `return last;`,
    unit: ["test/views/findCalendars.test.ts"],
  },
  {
    name: "end a search that is slow before it has got on",
    file: "shared/views/findCalendars.ts",
    from: `return this.#gotOn && (`,
    to: `return (`,
    unit: ["test/views/findCalendars.test.ts"],
  },
  {
    name: "take a row without a column for one that says no",
    file: "shared/store/calendarLabels.ts",
    from: `row.removed === null ? undefined : row.isShared`,
    to: `row.isShared`,
    unit: ["test/views/findCalendars.test.ts"],
  },
  {
    name: "let a page of CSV that is not the last look like the end",
    file: "shared/http/beta/calendarText.ts",
    from: `index === items.length - 1 ? (nextLink ?? "") : ""`,
    to: `index < 0 ? (nextLink ?? "") : ""`,
    unit: ["test/http/allCalendars.test.ts"],
  },
  {
    name: "write a calendar's name into CSV as it is, formula or not",
    file: "shared/http/beta/calendarText.ts",
    from: `const safe = `,
    to: `const safe = text !== "" ? text : `,
    unit: ["test/http/calendarText.test.ts"],
  },
];
