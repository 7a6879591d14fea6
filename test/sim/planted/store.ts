import type { Mutant } from "./mutant.js";

/** Faults in what is kept: fences, torn units, lost answers. */
export const inTheStore: readonly Mutant[] = [
  {
    name: "drop If-Match",
    file: "shared/store/landing.ts",
    from: `{ kind, rowKey, columns: withId(columns), etag },`,
    to: `{ kind, rowKey, columns: withId(columns), etag: "*" },`,
  },
  {
    name: "merge a checkpoint that has lost a column",
    file: "shared/store/columns.ts",
    from: `  if (Object.keys(before).some((name) => !Object.hasOwn(after, name))) return null;\n`,
    to: ``,
  },
  {
    name: "merge into a torn checkpoint what was to change in the one before",
    file: "shared/store/units.ts",
    from: `const changed = isTorn ? null : changedColumns(`,
    to: `const changed = changedColumns(`,
  },
  {
    name: "keep the link in a torn checkpoint",
    file: "shared/sync/torn.ts",
    from: `    phase: "initial",\n    link: null,\n    roundId: null,`,
    to: `    roundId: null,`,
  },
  {
    name: "a torn unit goes on under its first ETag",
    file: "shared/store/commit.ts",
    from: `    etag = landing.etag;`,
    to: `    etag = unit.held.etag;`,
  },
  {
    name: "take an own success for a lost fence",
    file: "shared/store/landing.ts",
    from: `return typeof commitId === "string" && ownIds.has(commitId);`,
    to: `return typeof commitId !== "string" && ownIds.has(commitId ?? "");`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "take a foreign success for our own",
    file: "shared/store/landing.ts",
    from: `return typeof commitId === "string" && ownIds.has(commitId);`,
    to: `return typeof commitId === "string" && ownIds.size > 0;`,
  },
  {
    name: "take a StorageError for a success",
    file: "shared/store/landing.ts",
    from: `if (wasUnclear) throw error;`,
    to: `if (wasUnclear) return takeIn(group, waiting, []);`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "a refused unit takes its group along",
    file: "shared/store/landing.ts",
    from: `waiting = waiting.filter((piece) => piece !== faulty);`,
    to: `waiting = [];`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "a purge forgets the rows",
    file: "shared/store/purge.ts",
    from: `rowKeys.push(...page.map(({ rowKey }) => rowKey));`,
    to: `void page;`,
  },
  {
    name: "a purge raises no fence",
    file: "shared/store/purge.ts",
    from: `    phase: "initial",\n    parkedReason: removingReason,`,
    to: ``,
  },
  {
    name: "wait for ever for a table that does not answer",
    file: "shared/table/azureTable.ts",
    from: `return await within(callMsMax, () => new StorageError(operation, partitionKey, null, "timeout"), ask);`,
    to: `return await ask(new AbortController().signal);`,
    unit: ["test/within.test.ts"],
  },
  {
    name: "know for ever that the table is there",
    file: "shared/store/store.ts",
    from: `if (isTableGone(error)) onGone();`,
    to: ``,
    unit: ["test/azure/gone.test.ts"],
  },
  {
    name: "keep the failed reading of the feed key",
    file: "shared/store/meta.ts",
    from: `    forgetTable(key);\n    throw error;`,
    to: `    throw error;`,
    unit: ["test/feed/feedKey.test.ts"],
  },
  {
    name: "make the changes queue once in a process",
    file: "shared/azure/changesQueue.ts",
    from: `making ??= make(log).finally(() => {\n            making = null;\n          });`,
    to: `making ??= make(log);`,
    unit: ["test/azure/gone.test.ts"],
  },
];
