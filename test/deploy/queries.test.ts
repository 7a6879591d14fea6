import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { logOf } from "../../shared/log.js";
import type { Ports } from "../../shared/rounds/ports.js";
import { logStep } from "../../shared/rounds/step.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import type { Step } from "../../shared/sync/types.js";
import { mailboxHash } from "../../shared/telemetry/mailboxHash.js";
import { metrics } from "../../shared/telemetry/metrics.js";

/** The queries of docs/queries.md, against Kusto's own parser, the tables of Application Insights, and what the app sends. */

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/queries.md");
const sources = readdirSync(join(root, "shared"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => read(join("shared", name)))
  .join("\n");
const functions = readdirSync(join(root, "functions")).map((name) => name.replace(/\.ts$/, ""));

const titled = page
  .split(/^## /m)
  .slice(1)
  .flatMap((section) =>
    [...section.matchAll(/^```kusto\n([\s\S]*?)^```$/gm)].map(([, query = ""], index) => ({
      title: `${section.split("\n")[0]}${index === 0 ? "" : ", then"}`,
      query,
    })),
  );

/** What Bicep makes of the texts of alerts and workbook: names in the places of `${…}`, lines joined. */
function queriesOf(file: string): readonly string[] {
  const names = read("infra/telemetry.bicep");
  const metric = (name: string) => new RegExp(`^  ${name}: '(.+)'$`, "m").exec(names)?.[1] ?? `no ${name}`;
  const poison = /poison: \[(.+)\]/.exec(names)?.[1]?.replaceAll("'", "").split(", ") ?? [];
  const filled = (text: string): string =>
    text
      .replace(/\$\{newestOf\(metrics\.(\w+), '(\w+)', '(\w+)'\)\}/g, (_, ...[name, from, to]) =>
        newest(name, from, to),
      )
      .replace(/\$\{metrics\.(\w+)\}/g, (_, name: string) => metric(name))
      .replace(/\$\{join\(functions\.poison, '", "'\)\}/g, poison.join('", "'))
      .replace(/\$\{functions\.tick\}/g, "startRounds")
      .replace(/\$\{\w+\}/g, "20");
  const newest = (name: string, from: string, to: string) =>
    [
      "customMetrics",
      `where name == "${metric(name)}" and timestamp between (ago(${from}) .. ago(${to}))`,
      'summarize arg_max(timestamp, value) by shard = tostring(customDimensions["shard"])',
    ].join("\n| ");
  const text = read(`infra/${file}`);
  const whole = [...text.matchAll(/^ +query: '(.+)'$/gm)].map(([, query = ""]) => filled(query));
  const joined = [...text.matchAll(/^ +query: join\(\n +\[\n([\s\S]*?)\n +\],/gm)].map(([, lines = ""]) =>
    [...lines.matchAll(/^ +(?:'(.+)'|newestOf\(metrics\.(\w+), '(\w+)', '(\w+)'\))$/gm)]
      .map(([, line, name = "", from = "", to = ""]) => (line === undefined ? newest(name, from, to) : filled(line)))
      .join("\n| "),
  );
  return [...whole, ...joined];
}

/** Columns as the resource has them: learn.microsoft.com/azure/azure-monitor/app/data-model-complete. */
const common =
  "timestamp: datetime, operation_Id: string, operation_Name: string, cloud_RoleName: string, cloud_RoleInstance: string, customDimensions: dynamic, itemType: string, itemCount: int";
const tables = {
  traces: `${common}, message: string, severityLevel: int`,
  requests: `${common}, id: string, name: string, url: string, success: bool, resultCode: string, duration: real`,
  dependencies: `${common}, id: string, operation_ParentId: string, name: string, type: string, target: string, success: bool, resultCode: string, duration: real`,
  exceptions: `${common}, outerMessage: string, type: string, problemId: string, details: dynamic`,
  customMetrics: `${common}, name: string, value: real, valueSum: real, valueCount: int, valueMin: real, valueMax: real`,
};

type Bridged<Item> = { readonly Count: number; getItem(index: number): Item };
type Diagnostic = { readonly Message: string };
type Code = { GetDiagnostics(): Bridged<Diagnostic> };
type TableSymbol = { WithName(name: string): TableSymbol };
type State = { WithDatabase(database: object): State };
type Kusto = {
  readonly Language: {
    readonly KustoCode: { ParseAndAnalyze(text: string, state: State): Code };
    readonly GlobalState: { readonly Default: State };
    readonly Symbols: {
      readonly TableSymbol: { From(columns: string): TableSymbol };
      readonly DatabaseSymbol: { readonly ctor: new (name: string, tables: readonly TableSymbol[]) => object };
    };
  };
};

let mistakesIn: (query: string) => readonly string[];

beforeAll(() => {
  const require = createRequire(import.meta.url);
  require("@kusto/language-service-next/bridge.min.js"); // It and the next put their names into the global scope.
  require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
  const { Language } = (globalThis as unknown as { readonly Kusto: Kusto }).Kusto;
  const { TableSymbol, DatabaseSymbol } = Language.Symbols;
  const known = Object.entries(tables).map(([name, columns]) => TableSymbol.From(`(${columns})`).WithName(name));
  const state = Language.GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("app", known));
  mistakesIn = (query) => {
    const found = Language.KustoCode.ParseAndAnalyze(query, state).GetDiagnostics();
    return Array.from({ length: found.Count }, (_, index) => found.getItem(index).Message);
  };
});

describe("each query", () => {
  test("answers one of ten questions and more, all of one mailbox first", () => {
    expect(titled[0]?.title).toBe("All of one mailbox");
    expect(titled.filter(({ title }) => !title.endsWith(", then")).length).toBeGreaterThanOrEqual(10);
  });

  test("is read by Kusto as it stands, with tables and columns that there are", () => {
    expect(mistakesIn("traces | where mesage == 1")).not.toEqual([]); // It would see a mistake.
    expect(titled.map(({ title, query }) => [title, mistakesIn(query)])).toEqual(
      titled.map(({ title }) => [title, []]),
    );
  });

  test.each(["alerts.bicep", "workbook.bicep"])("of %s is read by Kusto, too", (file) => {
    const queries = queriesOf(file);
    expect(queries).toHaveLength(read(`infra/${file}`).match(/^ +query: (?:'|join)/gm)?.length ?? 0);
    expect(queries.length).toBeGreaterThan(5);
    expect(queries.map((query) => [query, mistakesIn(query)])).toEqual(queries.map((query) => [query, []]));
  });

  test("names only metrics, attributes and functions that the app has", () => {
    const text = titled.map(({ query }) => query).join("\n");
    const dimensions = [...text.matchAll(/customDimensions\["([\w.]+)"\]/g)].map(([, name = ""]) => name);
    expect(dimensions.filter((name) => name !== "shard" && !sources.includes(`"${name}"`))).toEqual([]);
    const named = [...text.matchAll(/"(calendar_mirror\.\w+)"/g)].map(([, name = ""]) => name);
    const unknown = named.filter((name) => !dimensions.includes(name) && !Object.hasOwn(metrics, name));
    expect(named.length).toBeGreaterThan(5);
    expect(unknown).toEqual([]);
    const lists = [...text.matchAll(/name in \((.+)\)/g)].flatMap(([, list = ""]) => [...list.matchAll(/"(\w+)"/g)]);
    expect(lists.map(([, name = ""]) => name).filter((name) => !functions.includes(name))).toEqual([]);
    const inText = [...page.matchAll(/`(beta\w+)`/g)].map(([, name = ""]) => name);
    expect(inText.filter((name) => !functions.includes(name))).toEqual([]);
  });

  test("looks for lines that the log has, and for fields by their names", () => {
    const lines = [...page.matchAll(/startswith "([^"]+)"/g)].map(([, line = ""]) => line.trim());
    expect(lines.length).toBeGreaterThan(4);
    const isLogged = (line: string) =>
      new RegExp(`log\\([^,]+, ["\`]${line.replace(/^mailbox park$/, "mailbox \\$\\{step\\.kind\\}")}`).test(sources);
    expect(lines.filter((line) => !isLogged(line))).toEqual([]);
    const fields = [...page.matchAll(/[" ](\w+)=(?:"|\(\\\\)/g)].map(([, field = ""]) => field);
    expect(fields).toEqual(expect.arrayContaining(["mailbox", "parkedReason", "requestId", "subscription"]));
    expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(sources))).toEqual([]);
  });
});

test("what is cut out of a line of a parked mailbox stands there in that order", () => {
  const lines: string[] = [];
  const push = (line: string) => void lines.push(line);
  const next = {
    ...newCheckpoint("adele", "epoch", null),
    lastErrorCode: "ErrorAccessDenied",
    parkedReason: "denied:ErrorAccessDenied",
  };
  const step = { kind: "park", next } as Step;
  logStep(step, { log: logOf({ info: push, warn: push, error: push }) } as Ports);
  const [, pattern = ""] =
    /parse message with (.+)/.exec(titled.find(({ title }) => title.startsWith("Who was parked"))?.query ?? "") ?? [];
  const parts = [...pattern.matchAll(/"([^"]+)"|(\w+)|\*/g)].map(
    ([, text, name]) => text ?? (name ? `(?<${name}>.*?)` : ".*?"),
  );
  expect(new RegExp(`^${parts.join("")}$`).exec(lines[0] ?? "")?.groups).toEqual({
    mailbox: "adele",
    code: "ErrorAccessDenied",
    reason: "denied:ErrorAccessDenied",
  });
});

describe("the hash of a mailbox", () => {
  const id = "3F0C0000-0000-4000-8000-0000000000A1";
  const snippet = (shell: string) =>
    new RegExp(`^\`\`\`${shell} hash\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1] ?? "";

  test("by the command is the one that spans have, in whatever case the id is given", () => {
    const said = execFileSync("bash", ["-c", snippet("bash").replace("<object id>", id)], { encoding: "utf8" });
    expect(said).toBe(`${mailboxHash(id.toLowerCase())}\n`);
  });

  test("by PowerShell takes the same bytes and as many digits", () => {
    expect(snippet("powershell")).toContain("UTF8.GetBytes('<object id>'.ToLowerInvariant())");
    expect(snippet("powershell")).toContain(`.Substring(0, ${mailboxHash(id).length})`);
  });

  test("in a query is Kusto's hash_sha256, which is hex in lower case", () => {
    // As learn.microsoft.com/kusto/query/hash-sha256-function shows it.
    const world = "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524";
    expect(createHash("sha256").update("World").digest("hex")).toBe(world);
    expect(titled[0]?.query).toContain(`substring(hash_sha256(mailbox), 0, ${mailboxHash(id).length})`);
  });
});
