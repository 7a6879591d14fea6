import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../../local/root.js";
import { keptIn, keptInMemory } from "../../local/start/kept.js";
import { startOptions, usage } from "../../local/start/options.js";
import { keepPorts, worldOf } from "../../local/start/world.js";

/** What `npm start` answers before it builds anything. */

const program = join(root, "local", "npmStart.mjs");
const folder = mkdtempSync(join(tmpdir(), "calendar-mirror-"));
const file = join(folder, "file");
writeFileSync(file, "");
mkdirSync(join(folder, "empty"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As npm runs it. @param flags Of Node. */
function npmStart(args: readonly string[], env: NodeJS.ProcessEnv = {}, flags: readonly string[] = [], from = program) {
  const builtMs = () => statSync(join(root, ".build"), { throwIfNoEntry: false })?.mtimeMs;
  const before = builtMs();
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, from, ...args], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  expect(builtMs()).toBe(before);
  return { status, stdout, stderr };
}

test("npm start runs this program, and nothing before it", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect([scripts["start"], scripts["prestart"]]).toEqual(["node local/npmStart.mjs", undefined]);
});

test.each([["--help"], ["-h"], ["--nonsense", "--help"]])("help: %s", (...args) => {
  expect(npmStart(args)).toEqual({ status: 0, stdout: `${usage}\n`, stderr: "" });
});

describe("one line, exit code 2, and nothing on stdout", () => {
  test.each([
    [["--mailboxen", "5"], "Unknown option '--mailboxen'. What there is: npm start -- --help"],
    [["five"], "Unexpected argument 'five'. What there is: npm start -- --help"],
    [["--mailboxes"], "Option '--mailboxes <value>' argument missing. What there is: npm start -- --help"],
    [["--mailboxes", "none"], '--mailboxes must be a whole number from 1 to 1000000, not "none".'],
    [["--roster", "all"], '--roster is manual or directory, not "all".'],
    [["--data", file], `--data ${file} is a file. Name a folder that can be written, or one that is not there yet.`],
    [
      ["--data", join(file, "x")],
      `--data ${file}/x lies below the file ${file}. Name a folder that can be written, or one that is not there yet.`,
    ],
    [["--data", ""], "--data  names no folder. Name a folder that can be written, or one that is not there yet."],
    [
      ["--app", join(folder, "no")],
      `--app ${folder}/no is not there. Name a folder that npm run package has laid out.`,
    ],
    [["--app", file], `--app ${file} is a file. Name a folder that npm run package has laid out.`],
    [
      ["--app", join(folder, "empty")],
      `--app ${folder}/empty has no host.json. Name a folder that npm run package has laid out.`,
    ],
  ])("%j", (args, said) => {
    expect(npmStart(args)).toEqual({ status: 2, stdout: "", stderr: `${said}\n` });
  });

  test.runIf(process.platform === "linux").each(["/proc/x/y", "/proc"])(
    "a folder that cannot be made, or written: %s",
    (dir) => {
      const { status, stdout, stderr } = npmStart(["--data", dir]);
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^--data \S+ cannot be (made|written) \(E[A-Z]+\)\. Name a folder .*\n$/);
    },
  );

  test("storage of one's own beside --data", () => {
    const { status, stderr } = npmStart(["--data", join(folder, "new")], {
      AzureWebJobsStorage: "UseDevelopmentStorage=true",
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^--data keeps storage of our own, and AzureWebJobsStorage names another one: .*\n$/);
  });

  test("options that npm has taken for its own", () => {
    const env = { npm_config_once: "true", npm_config_page_size: "7" };
    const { status, stderr } = npmStart(["5"], env);
    expect([status, stderr]).toEqual([
      2,
      "npm takes what stands before -- for itself. Write: npm start -- --once --page-size 7 5\n",
    ]);
  });

  test("a Node that cannot read TypeScript", () => {
    const { status, stderr } = npmStart([], {}, [
      "--import",
      "data:text/javascript,Object.defineProperty(process.features, 'typescript', { value: false })",
    ]);
    const { node } = process.versions;
    expect([status, stderr]).toEqual([
      2,
      `Node ${node} is too old for this: run it by npm start, on the Node 24 that npm ci has installed.\n`,
    ]);
  });

  test("a checkout without packages", () => {
    mkdirSync(join(folder, "local"));
    cpSync(program, join(folder, "local", "npmStart.mjs"));
    const { status, stderr } = npmStart([], {}, [], join(folder, "local", "npmStart.mjs"));
    expect([status, stderr]).toEqual([
      2,
      "The packages are missing: run npm ci first. It brings the Node 24 that everything here runs on, too.\n",
    ]);
  });
});

test("help names every option, and nothing else does", () => {
  const named = [...usage.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
  for (const name of named.filter((one) => one !== "help")) {
    const takes = () => startOptions([`--${name}`], {});
    // An option of ours either needs a value or does not; all else is unknown.
    expect(() => {
      try {
        takes();
      } catch (error) {
        if (!/argument missing/.test((error as Error).message)) throw error;
      }
    }).not.toThrow();
  }
  expect(named).toHaveLength(11);
});

test("a folder is one run's at a time, and what is kept in it outlives a run", async () => {
  const dir = join(folder, "kept");
  mkdirSync(dir);
  const first = keptIn(dir);
  first.set("port", 7);
  first.set("port", 8);
  expect(() => keptIn(dir)).toThrow(/^--data \S+ is in use by another npm start\./);
  expect([first.get("port"), first.get("other")]).toEqual([8, undefined]);
  first.close();
  const second = keptIn(dir);
  expect(second.get("port")).toBe(8);
  second.close();
  writeFileSync(join(dir, "start.db"), "x".repeat(5_000));
  expect(() => keptIn(dir)).toThrow(/start\.db is not a file of npm start\. Name another folder by --data\.$/);
});

test("a kept world gives the options that are not given, refuses others, and keeps ports that are free", async () => {
  const kept = keptInMemory();
  const options = (...args: readonly string[]) => ({ ...startOptions(args, {}), dataDir: "DIR" });
  const first = await worldOf(options("--mailboxes", "7"), kept);
  expect(first).toMatchObject({
    isResumed: false,
    graphPort: 0,
    graphState: join("DIR", "graph.json"),
    lostPort: null,
  });
  const server = (await import("node:net")).createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  keepPorts(kept, `http://127.0.0.1:${port}`, `http://127.0.0.1:${port}`);
  expect(await worldOf(options(), kept)).toMatchObject({
    isResumed: true,
    graphPort: 0,
    lostPort: port,
    options: { port: 0 },
  });
  await new Promise((resolve) => server.close(resolve));
  const again = await worldOf(options("--mailboxes", "7"), kept);
  expect(again).toMatchObject({ graphPort: port, lostPort: null, options: { port, mailboxes: 7, calendars: 5 } });
  expect((await worldOf(options("--port", "9"), kept)).options.port).toBe(9);
  await expect(worldOf(options("--mailboxes", "8"), kept)).rejects.toThrow(
    "--data DIR holds a world of --mailboxes 7: leave out --mailboxes, or name another folder.",
  );
  const mine = { ...startOptions(["--mailbox", "me"], { GRAPH_ACCESS_TOKEN: "any" }), dataDir: "DIR" };
  await expect(worldOf(mine, kept)).rejects.toThrow(
    "--data DIR holds a world of simulated mailboxes: leave out --mailbox",
  );
});
