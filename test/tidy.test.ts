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
      .filter((name) => /\.m?ts$|\.mjs$/.test(name))
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

describe("walls between rooms", () => {
  const mayImport: Record<string, RegExp> = {
    functions: /^(functions|shared)\/|^@azure\/functions$/,
    shared: /^shared\//,
    "shared/sync": /^shared\/sync\//,
    // A page of its own, which the build puts together: of the app it takes types alone.
    dashboard: /^dashboard\/|^uplot$/,
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
    // The in-memory table is the twin that tests hold to the same contract; the app itself never loads it.
    expect(lost.map(({ path }) => path)).toEqual(["shared/store/memoryTable.ts"]);
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
      /\.(upsertEntity|updateEntity|deleteEntity|createEntity|submitTransaction)\(/.test(text),
    );
    expect(found.map(({ path }) => path)).toEqual(["shared/store/azureTable.ts"]);
  });

  test("every function is watched", () => {
    const unwatched = inRoom("functions").filter(({ text }) => !/handler: withTelemetry\(/.test(text));
    expect(unwatched.map(({ path }) => path)).toEqual([]);
  });

  test("the environment is read in the composition root only", () => {
    const found = [...inRoom("functions"), ...inRoom("shared")].filter(({ text }) => text.includes("process.env"));
    expect(found.map(({ path }) => path)).toEqual(["shared/live.ts"]);
  });
});

describe("tests", () => {
  test.each(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11"])(
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
