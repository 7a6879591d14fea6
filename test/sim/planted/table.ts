import type { Mutant } from "./mutant.js";

const unit = ["test/table"];

/** Faults in what is sent to the table service, and in what is read of its answers. */
export const inTheTable: readonly Mutant[] = [
  {
    name: "send a delete within a transaction without its ETag",
    file: "shared/table/changeset.ts",
    from: `const condition = "etag" in action ?`,
    to: `const condition = "etag" in action && kind !== "delete" ?`,
    unit,
  },
  {
    name: "take any text for an ETag",
    file: "shared/table/changeset.ts",
    from: `  if (!/^[\\x20-\\x7e]+$/.test(etag)) throw new RangeError("An ETag must be visible ASCII.");\n`,
    to: ``,
    unit,
  },
  {
    name: "let a quote end a key",
    file: "shared/table/changeset.ts",
    from: `encodeURIComponent(key.replaceAll("'", "''"))`,
    to: `encodeURIComponent(key)`,
    unit,
  },
  {
    name: "let a key be a path",
    file: "shared/table/changeset.ts",
    from: `encodeURIComponent(key.replaceAll("'", "''"))`,
    to: `key.replaceAll("'", "''")`,
    unit,
  },
  {
    name: "merge where a row is to be replaced",
    file: "shared/table/changeset.ts",
    from: `update: "PUT", merge: "PATCH"`,
    to: `update: "PATCH", merge: "PATCH"`,
    unit,
  },
  {
    name: "send line separators as they are",
    file: "shared/table/entityText.ts",
    from: `return /[\\u2028\\u2029]/.test(text)`,
    to: `return /[\\u2028]{999}/.test(text)`,
    unit,
  },
  {
    name: "send a time as a text",
    file: "shared/table/entityText.ts",
    from: `"\${value.toISOString()}"\${labelOf(name + typeSuffix)}"Edm.DateTime"`,
    to: `"\${value.toISOString()}"`,
    unit,
  },
  {
    name: "take an answer that was cut off for a whole one",
    file: "shared/table/changeset.ts",
    from: `if (parts.pop()?.startsWith("--") !== true) return null;`,
    to: `if (parts.at(-1)?.startsWith("--") === true) parts.pop();`,
    unit,
  },
  {
    name: "take a transaction for done that was answered in part",
    file: "shared/table/azureTable.ts",
    from: `answers.length === actions.length && actions.every(`,
    to: `actions.slice(0, answers.length).every(`,
    unit,
  },
  {
    name: "take a row without an ETag for written",
    file: "shared/table/azureTable.ts",
    from: `kind === "delete" || answers[i]?.etag !== ""`,
    to: `kind !== undefined || answers[i]?.etag !== ""`,
    unit,
  },
  {
    name: "forget which action was refused",
    file: "shared/table/azureTable.ts",
    from: `const index = actions === 1 ? 0 : failure.index;`,
    to: `const index = actions === 1 ? 0 : null;`,
    unit,
  },
  {
    name: "take a server's failure within a transaction for a refusal",
    file: "shared/table/azureTable.ts",
    from: `if (status === 400) return`,
    to: `if (status !== null && status >= 400 && status !== 404 && status !== 403 && status !== 503) return`,
    unit,
  },
  {
    name: "take a page that was cut off for an empty one",
    file: "shared/table/azureTable.ts",
    from: `if (!Array.isArray(value)) throw new StorageError("query", partitionKey, 200, "AnswerIncomplete");`,
    to: `if (!Array.isArray(value)) return;`,
    unit,
  },
  {
    name: "end a query at its first page",
    file: "shared/table/azureTable.ts",
    from: `isMore ||= next !== undefined;`,
    to: ``,
    unit,
  },
  {
    name: "sign requests within a transaction",
    file: "shared/table/tableService.ts",
    from: `tableUrl: \`\${account}/\${client.tableName}\`,`,
    to: `tableUrl: \`\${account}/\${client.tableName}?\${signature}\`,`,
    unit,
  },
];
