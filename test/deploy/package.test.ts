import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";

/** What a deployment uploads, in a folder with no packages beside it: the built app of `dist/`, as `npm test` made it. */

const root = join(import.meta.dirname, "..", "..");
const loader = join(import.meta.dirname, "loadApp.mjs");
const exec = promisify(execFile);
const megabyte = 1024 * 1024;

const triggers = readdirSync(join(root, "functions")).map((name) => name.replace(/\.ts$/, ""));

let folder: string;
let azurite: Azurite;

let said = "";
const layOut = () => exec(process.execPath, ["--import", "tsx", join(root, "local", "package.ts"), folder]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "calendar-mirror-package-"));
  azurite = await startAzurite();
  said = (await layOut()).stdout;
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await azurite.stop();
});

const load = (settings: Record<string, string>) =>
  exec(process.execPath, [loader, join(folder, "dist", "main.js")], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...settings },
  });

/** Files of `dist/` that are loaded whenever `file` is: its imports and theirs, but not what it asks for on demand. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, name = ""] of text.matchAll(/^(?:import|\} from|import .* from) "(\.[^"]+)";$/gm)) {
    loadedWith(join(dirname(file), name), seen);
  }
  return seen;
}

function sourcesOf(file: string): readonly string[] {
  return (JSON.parse(readFileSync(`${file}.map`, "utf8")) as { sources: string[] }).sources;
}

describe("the package", () => {
  test("says what it has laid out, and what to do with it", () => {
    expect(said).toMatch(/^Laid out in \S+: dist\/, host\.json, package\.json; \d+ files, \d+\.\d MiB\.\n/);
    expect(said).toContain(`npm start -- --once --app ${folder}\n`);
    expect(said).toContain(`cd ${folder} && func azure functionapp publish <app>\n`);
  });

  test("holds the built app and its two manifests, and nothing else", () => {
    expect(readdirSync(folder).sort()).toEqual(["dist", "host.json", "package.json"]);
  });

  test("holds nothing of the simulator, the host stand-in, tests or benches", () => {
    const maps = readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js.map"),
    );
    const sources = maps.flatMap((name) => sourcesOf(join(folder, "dist", name).replace(/\.map$/, "")));
    // Packages in one file name their own sources, by addresses that begin with webpack://.
    const own = sources.filter((name) => !/node_modules\/|^webpack:/.test(name));
    expect(own.length).toBeGreaterThan(50);
    expect(own.filter((name) => !/^(?:\.\.\/)+(?:shared|functions)\/|app\.ts$/.test(name))).toEqual([]);
  });

  test("is never laid over what a folder holds already", async () => {
    await expect(layOut()).rejects.toMatchObject({
      code: 2,
      stderr: `${folder} is not empty: name a new or empty folder.\n`,
    });
  });

  test("is small: a cold instance fetches all of it", () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) =>
      statSync(join(folder, name)),
    );
    const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
    expect(bytes).toBeLessThan(6 * megabyte);
  });

  test("names its entry file in package.json, as the worker looks for it", () => {
    const { main, type } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
    expect({ main, type }).toEqual({ main: "dist/main.js", type: "module" });
  });

  test("registers every trigger under its file's name, and answers, without any package beside it", async () => {
    const settings = { AzureWebJobsStorage: azurite.connectionString, GRAPH_ACCESS_TOKEN: "trial" };
    const { functions, hooks } = JSON.parse((await load(settings)).stdout) as { functions: string[]; hooks: string[] };
    expect({ functions, hooks }).toEqual({ functions: triggers.sort(), hooks: [] });
  });

  test("finds all that it loads on demand in itself", async () => {
    const chunks = readdirSync(join(folder, "dist", "chunks")).filter((name) => name.endsWith(".js"));
    const program = chunks.map((name) => `await import("./dist/chunks/${name}");`).join("\n");
    const { stdout } = await exec(
      process.execPath,
      ["--input-type=module", "-e", `${program}\nconsole.log("whole");`],
      {
        cwd: folder,
      },
    );
    expect(stdout).toBe("whole\n");
  });

  test("loads no client of Azure or Graph before an invocation needs it", () => {
    const sources = [...loadedWith(join(folder, "dist", "app.js"))].flatMap(sourcesOf);
    expect(sources.filter((name) => name.includes("shared/live.ts"))).toHaveLength(1);
    const clients = /node_modules\/@azure\/(?!functions)|node_modules\/(?:@typespec|@opentelemetry)\//;
    expect(sources.filter((name) => clients.test(name))).toEqual([]);
  });

  test("loads no schema and no description of answers before somebody asks for the description", () => {
    const sources = [...loadedWith(join(folder, "dist", "app.js"))].flatMap(sourcesOf);
    expect(sources.filter((name) => /shared\/http\/openapi\/|shared\/views\/schema|Schema\.ts$/.test(name))).toEqual(
      [],
    );
  });

  test("loads nothing for assistants before one sends a message", () => {
    const isForAssistants = /node_modules\/@modelcontextprotocol\/|shared\/http\/mcp\//;
    const sources = [...loadedWith(join(folder, "dist", "app.js"))].flatMap(sourcesOf);
    expect(sources.filter((name) => isForAssistants.test(name))).toEqual([]);
    const chunks = readdirSync(join(folder, "dist", "chunks")).filter((name) => name.endsWith(".js"));
    const all = chunks.flatMap((name) => sourcesOf(join(folder, "dist", "chunks", name)));
    expect(all.filter((name) => isForAssistants.test(name)).length).toBeGreaterThan(5);
    expect(all.filter((name) => /node_modules\/ajv|ajvProvider/.test(name))).toEqual([]); // Only forms would need it.
  });

  describe("telemetry", () => {
    const opened =
      /node_modules\/(?:@opentelemetry|@azure\/monitor-opentelemetry-exporter)\/|shared\/telemetry\/(?:openTelemetry|otlp|azureMonitor)\.ts/;
    const azureMonitor = /node_modules\/@azure\/monitor-opentelemetry-exporter\//;

    /** Sources of all files that a process loaded up to its first answer: V8 knows them. */
    async function loadedSources(more: Record<string, string>): Promise<readonly string[]> {
      const report = mkdtempSync(join(tmpdir(), "calendar-mirror-loaded-"));
      const storage = { AzureWebJobsStorage: azurite.connectionString, GRAPH_ACCESS_TOKEN: "trial" };
      await load({ ...storage, NODE_V8_COVERAGE: report, ...more });
      const urls = readdirSync(report).flatMap((name) => {
        const { result } = JSON.parse(readFileSync(join(report, name), "utf8")) as { result: { url: string }[] };
        return result.map(({ url }) => url);
      });
      rmSync(report, { recursive: true, force: true });
      const files = urls.filter((url) => /\/dist\/(?:app|chunks\/.*)\.js$/.test(url)).map((url) => fileURLToPath(url));
      expect(files.length).toBeGreaterThan(2);
      return files.flatMap(sourcesOf);
    }

    test("is not loaded where telemetry is off, even by an invocation", async () => {
      expect((await loadedSources({})).filter((name) => opened.test(name))).toEqual([]);
      const off = await loadedSources({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "true" });
      expect(off.filter((name) => opened.test(name))).toEqual([]);
    });

    test("wraps every invocation by one hook where somebody is to be told", async () => {
      const storage = { AzureWebJobsStorage: azurite.connectionString, GRAPH_ACCESS_TOKEN: "trial" };
      const { stdout } = await load({ ...storage, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
      expect(JSON.parse(stdout)).toMatchObject({ functions: triggers.sort(), hooks: ["preInvocation"] });
    });

    test("is loaded for OTLP without what talks to Application Insights, and with it where that is asked for", async () => {
      const otlp = await loadedSources({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
      expect(otlp.some((name) => opened.test(name))).toBe(true);
      expect(otlp.filter((name) => azureMonitor.test(name))).toEqual([]);
      const key = "InstrumentationKey=00000000-0000-0000-0000-000000000001";
      const both = await loadedSources({
        APPLICATIONINSIGHTS_CONNECTION_STRING: `${key};IngestionEndpoint=http://127.0.0.1:9/`,
        APPLICATION_INSIGHTS_NO_STATSBEAT: "true",
      });
      expect(both.some((name) => azureMonitor.test(name))).toBe(true);
      expect(both.filter((name) => name.includes("exporter-trace-otlp-http"))).toEqual([]);
    });
  });

  test("names the place of an error in the sources", async () => {
    const failure = await load({ AzureWebJobsStorage: "nonsense" }).catch((error: { stderr: string }) => error.stderr);
    expect(failure).toMatch(/SettingsError: The settings are wrong/);
    expect(failure).toMatch(/at readSettings \(.*shared\/settings\.ts:\d+:\d+\)/);
  });
});
