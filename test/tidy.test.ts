import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

/** Keeps the house as SPEC.md draws it: walls between rooms, one place for time and chance, one way into the table. */

const root = join(import.meta.dirname, "..");
const rooms = ["functions", "shared", "dashboard", "local", "test", "bench", "examples"];
const files = rooms.flatMap(sourcesBelow).map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

function sourcesBelow(room: string): string[] {
  try {
    return readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.m?ts$|\.mjs$/.test(name) && !name.includes("node_modules"))
      .map((name) => join(room, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // The room has not been built.
    throw error;
  }
}

/** What a file imports: paths from the root for our own files, package names for others. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"\s]+)"/gm)].map(
    ([, name = ""]) => name,
  );
  return specifiers.map((name) => {
    if (name.startsWith(".")) return normalize(join(dirname(path), name)).replace(/\.js$/, ".ts");
    return name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : (name.split("/")[0] ?? name);
  });
}

/** Whether a file takes nothing but types from another of ours. */
function isTypeOnly(text: string, name: string): boolean {
  const end = name.replace(/^.*\//, "").replace(/\.ts$/, ".js");
  return (
    new RegExp(`^import type [^;]*/${end}";`, "m").test(text) &&
    !new RegExp(`^import [^t][^;]*/${end}";`, "m").test(text)
  );
}

const inRoom = (room: string) => files.filter(({ path }) => path.startsWith(`${room}/`));

/** Rooms of `shared/`, from the ground up, and what each imports of the others. None imports a room that comes after it in this list. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  sync: [],
  table: [],
  graph: ["sync"],
  store: ["sync", "table"],
  figures: ["sync", "graph", "store"],
  rounds: ["sync", "graph", "store", "figures"],
  roster: ["sync", "graph", "store"],
  feed: ["sync", "store"],
  push: ["sync", "store"],
  views: ["sync", "store", "figures", "push"],
  actions: ["sync", "store", "views", "push"],
  http: ["sync", "store", "roster", "views", "actions", "feed", "push"],
  azure: ["graph"],
  telemetry: ["sync", "table", "graph", "store", "figures", "rounds", "push"],
};
/** Files that stand beside the rooms, and which rooms import them; all others are for `live.ts` alone. */
const beside: Readonly<Record<string, readonly string[]>> = {
  "folded.ts": ["views", "feed", "http"],
  "log.ts": ["graph", "rounds", "roster", "actions", "push", "http", "azure", "telemetry"],
  "mapAtOnce.ts": ["store", "rounds", "roster", "views", "feed", "push"],
  "messages.ts": ["rounds", "roster", "actions", "push", "http"],
  "reasons.ts": ["http"],
  "storageSettings.ts": ["azure"],
  "timer.ts": ["graph", "rounds", "push"],
  "version.ts": ["graph", "figures", "push", "views", "http", "telemetry"],
  "within.ts": ["table", "graph", "rounds", "push", "http", "azure", "telemetry"],
};

describe("walls between rooms", () => {
  const mayImport: Record<string, RegExp> = {
    functions: /^(functions|shared)\/|^@azure\/functions$/,
    shared: /^shared\//,
    "shared/sync": /^shared\/sync\//,
    // A page of its own, which the build puts together: of the app it takes types, and what codes mean.
    dashboard: /^dashboard\/|^shared\/reasons\.ts$|^uplot$/,
    local: /^(local|shared)\//,
  };

  test.each(Object.entries(mayImport))("%s imports from its own side only", (room, allowed) => {
    const packages =
      room === "local" ? [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)] : [];
    if (room === "shared") packages.push(...Object.keys(manifest.dependencies));
    const strangers = inRoom(room).flatMap((file) =>
      importsOf(file)
        .filter((name) => !allowed.test(name) && !packages.includes(name))
        .filter((name) => !name.startsWith("node:") || room === "shared/sync")
        .filter((name) => room !== "dashboard" || !isTypeOnly(file.text, name))
        .map((name) => `${file.path} imports ${name}`),
    );
    expect(strangers).toEqual([]);
  });

  const roomOf = (path: string) => path.split("/")[1] ?? "";

  test("the rooms of shared/ import each other as the table of arrows says, no more and no less", () => {
    const drawn = [...Object.entries(arrows), ...Object.keys(beside).map((name): [string, string[]] => [name, []])];
    const found = new Map(drawn.map(([room]) => [room, new Set<string>()]));
    for (const file of inRoom("shared")) {
      const from = roomOf(file.path);
      for (const name of importsOf(file)) {
        const to = roomOf(name);
        if (name.startsWith("shared/") && from !== to) found.get(from)?.add(to);
      }
    }
    for (const [room, others] of Object.entries(arrows)) {
      const ground = Object.keys(beside).filter((name) => beside[name]?.includes(room));
      expect([room, ...[...(found.get(room) ?? [])].sort()]).toEqual([room, ...[...others, ...ground].sort()]);
    }
    const strangers = [...new Set(inRoom("shared").map(({ path }) => roomOf(path)))].filter(
      (room) => !room.endsWith(".ts") && !(room in arrows),
    );
    expect(strangers).toEqual([]);
  });

  test("no arrow runs up", () => {
    const order = Object.keys(arrows);
    const up = Object.entries(arrows).flatMap(([room, others]) =>
      others.filter((other) => order.indexOf(other) >= order.indexOf(room)).map((other) => `${room} → ${other}`),
    );
    expect(up).toEqual([]);
  });

  test("no file imports itself by way of others, not even for a type", () => {
    const imports = new Map(
      ["functions", "shared", "dashboard", "local"].flatMap(inRoom).map((file) => [file.path, importsOf(file)]),
    );
    // Take away, again and again, files that import none of those left and files that none of those left imports: circles stay.
    for (let before = -1; before !== imports.size; ) {
      before = imports.size;
      const imported = new Set([...imports.values()].flat());
      for (const [path, names] of imports) {
        if (!imported.has(path) || !names.some((name) => imports.has(name))) imports.delete(path);
      }
    }
    expect([...imports.keys()]).toEqual([]);
  });

  test("every runtime dependency is used by the app, and every package that the app uses is a runtime dependency", () => {
    const used = [...inRoom("functions"), ...inRoom("shared")].flatMap(importsOf);
    const packages = new Set(used.filter((name) => !/^(functions|shared)\/|^node:/.test(name)));
    expect([...packages].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test("every file of the app is reached from a trigger", () => {
    const reached = new Set(inRoom("functions").map(({ path }) => path));
    for (const path of reached) {
      const file = files.find((each) => each.path === path);
      for (const name of file === undefined ? [] : importsOf(file)) if (name.startsWith("shared/")) reached.add(name);
    }
    const lost = inRoom("shared").filter(({ path }) => !reached.has(path));
    // The in-memory table is the fake that tests hold to the same contract; the app itself never loads it.
    expect(lost.map(({ path }) => path)).toEqual(["shared/table/memoryTable.ts"]);
  });
});

describe("one place for each thing", () => {
  test("time and chance are read in the composition root only", () => {
    const found = [...inRoom("functions"), ...inRoom("shared")].filter(({ text }) =>
      /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID\(\)/.test(text),
    );
    expect(found.map(({ path }) => path)).toEqual(["shared/live.ts"]);
  });

  test("I2: only the table adapter writes to the table, so nothing goes round the fence", () => {
    const found = [...inRoom("functions"), ...inRoom("shared")].filter(({ text }) =>
      /\.(upsertEntity|updateEntity|deleteEntity|createEntity|submitTransaction)\(|= changesetOf\(/.test(text),
    );
    expect(found.map(({ path }) => path)).toEqual(["shared/table/azureTable.ts"]);
  });

  test("the environment is read in the composition root only", () => {
    const found = [...inRoom("functions"), ...inRoom("shared")].filter(({ text }) => text.includes("process.env"));
    expect(found.map(({ path }) => path)).toEqual(["shared/live.ts"]);
  });
});

/** Folders of `test/` that are no rooms of `shared/`: other rooms of the house, what is tested as a whole, and `worlds`. */
const besideRooms = [
  "browser",
  "chaos",
  "clients",
  "dashboard",
  "deploy",
  "fuzz",
  "local",
  "product",
  "schedule",
  "sim",
  "worlds",
];

describe("tests", () => {
  test("are laid out as shared/ is: each folder of test/ is named after a room, or stands in a short list", () => {
    const inFolders = inRoom("test").filter(({ path }) => path.split("/").length > 2);
    const folders = [...new Set(inFolders.map(({ path }) => path.split("/")[1] ?? ""))];
    const known = [...Object.keys(arrows), ...besideRooms];
    expect(folders.filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I14", "I15"])(
    "invariant %s is cited by a test's title",
    (invariant) => {
      const title = new RegExp(`(?:test|describe)(?:\\.each\\([\\s\\S]*?\\))?\\(\\s*[\`"'][^\`"']*\\b${invariant}\\b`);
      expect(inRoom("test").some(({ text }) => title.test(text))).toBe(true);
    },
  );

  test("no test retries, or waits for luck", () => {
    const found = inRoom("test").filter(
      ({ path, text }) => !path.endsWith("tidy.test.ts") && /retry:\s*\d|setTimeout\(\w*resolve/.test(text),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });
});

test("no file leads into the machine that it was written on", () => {
  const more = ["docs", "infra"].flatMap((room) =>
    readdirSync(join(root, room))
      .filter((name) => name.includes("."))
      .map((name) => join(room, name)),
  );
  const docs = ["README.md", "SPEC.md", "SECURITY.md", "CONTRIBUTING.md", "azure.yaml", ...more].map((path) => ({
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));
  const found = [...files, ...docs].filter(({ text }) => /(?:^|[\s"'`(])\/(?:home|root|Users)\/\w/m.test(text));
  expect(found.map(({ path }) => relative(".", path))).toEqual([]);
});
