import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { actionTable } from "../../shared/store/actionRows.js";
import { calendarCopies, calendarTable } from "../../shared/store/calendarRow.js";
import { checkpointTable, markedTable } from "../../shared/store/checkpointRow.js";
import { commitIdColumn } from "../../shared/store/columns.js";
import { departureTable } from "../../shared/store/departures.js";
import { directoryTable, holdTable } from "../../shared/store/directoryRow.js";
import { figuresTable } from "../../shared/store/figuresRow.js";
import { logTable } from "../../shared/store/logRow.js";
import { brakeTable, endedTable, feedKeyTable, layoutTable, suspectedTable } from "../../shared/store/meta.js";
import { rosterCopies, rosterTable } from "../../shared/store/rosterRows.js";
import { shardLogTable, shardRunTable, shardTable } from "../../shared/store/shardRow.js";
import { subscriptionTable } from "../../shared/store/subscriptionRows.js";

/** Holds SPEC to the tables of columns: a line for each column, in their words and in their order, and no other. */

const [, section = ""] = readFileSync(join(import.meta.dirname, "../../SPEC.md"), "utf8").split("\n## Table\n");
const spec = section.split("\n## ")[0] ?? "";

type Described = { readonly name: string; readonly edm: string; readonly absent: string; readonly doc: string };
const written = { name: commitIdColumn, edm: "String", absent: "null", doc: "the transaction that wrote the row last" };

/** Each kind of row, by how SPEC begins to speak of it. */
const rows: Readonly<Record<string, readonly Described[]>> = {
  "`mailbox|<mailboxId>`": [...Object.values<Described>(checkpointTable), ...Object.values(markedTable), written],
  "`calendar|<mailboxId>|<calendarId>`": [...Object.values({ ...calendarTable, ...calendarCopies }), written],
  "`roster|<mailboxId>`": [...Object.values({ ...rosterTable, ...rosterCopies }), written],
  "`shard`": Object.values({ ...shardRunTable, ...shardLogTable, ...shardTable }),
  "`log|<number>`": [...Object.values<Described>(logTable), written],
  "`mailbox|<mailboxId>|<epoch>`": [...Object.values<Described>(departureTable), written],
  "`figures`": Object.values(figuresTable),
  "`layout` in `~meta`": Object.values(layoutTable),
  "`feedkey` in `~meta`": Object.values(feedKeyTable),
  "`brake` in `~meta`": [brakeTable, endedTable, suspectedTable].flatMap((table) => Object.values<Described>(table)),
  "`directory` in `~meta`": [
    ...Object.values<Described>(directoryTable),
    ...Object.values<Described>(holdTable),
    written,
  ],
  "`action|<milliseconds>|<id>` in `~actions`": [...Object.values<Described>(actionTable), written],
  "`subscription|<subscriptionId>` in `~push`": [...Object.values<Described>(subscriptionTable), written],
};

test.each(Object.entries(rows))(
  "SPEC has each column of %s, with its type, what it is when absent, and its meaning",
  (start, columns) => {
    const [, text = ""] = spec.split(`\n${start}`);
    const [, ...lines] = (/(?:^\|.*\n)+/m.exec(text)?.[0] ?? "").trim().split("\n");
    const expected = columns.map(({ name, edm, absent, doc }) => `| \`${name}\` | ${edm} | ${absent} | ${doc} |`);
    expect(lines).toEqual(["|---|---|---|---|", ...expected]);
  },
);

test("no kind of row has two columns of one name", () => {
  for (const columns of Object.values(rows)) {
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});
