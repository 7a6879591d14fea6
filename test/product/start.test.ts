import { type ChildProcess, exec, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { createGraph } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { startGraphServer } from "../../local/graph/server.js";
import { programPath, root } from "../../local/root.js";
import { freePort } from "../../local/start/processes.js";
import { nobody } from "../worlds/nobody.js";

const children = new Set<ChildProcess>();

/** One that a failed test left behind; what it started ends with it. */
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** `npm start` as a user runs it: what it said, and its exit code. */
async function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [programPath("start"), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  children.add(child);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => said.push(text));
  const [code] = await once(child, "close");
  children.delete(child);
  return { code, said: said.join("") };
}

const noStack = /\n\s+at |UnhandledPromise|node:internal/;

describe.concurrent("what goes wrong is reported in one clear line, with a useful exit code", () => {
  test("wrong settings: all of them at once, exit code 2", async () => {
    const { code, said } = await start(["--once"], { SHARDS: "12", GRAPH_CLOUD: "mars" });
    expect(code).toBe(2);
    expect(said).toMatch(/SHARDS must be a power of two from 1 to 256/);
    expect(said).toMatch(/GRAPH_CLOUD must be one of global, usgov, usgovdod, china/);
    expect(said).not.toMatch(noStack);
  });

  test("an unknown option: where help is, exit code 2", async () => {
    const { code, said } = await start(["--mailboxen", "5"]);
    expect(code).toBe(2);
    expect(said).toBe("Unknown option '--mailboxen'. What there is: npm start -- --help\n");
  });

  test("a port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, said } = await start(["--once", "--port", `${port}`]);
    server.close();
    expect(code).toBe(1);
    expect(said.match(new RegExp(`Port ${port} is taken. Give --port another one`, "g"))).toHaveLength(1);
    expect(said).not.toMatch(noStack);
  });

  test("storage that does not answer", async () => {
    const endpoint = `${nobody}/acct`;
    const AzureWebJobsStorage = `DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=a2V5;QueueEndpoint=${endpoint};TableEndpoint=${endpoint};`;
    const { code, said } = await start(["--once"], { AzureWebJobsStorage });
    expect(code).toBe(1);
    expect(said).toMatch(/The storage that AzureWebJobsStorage names cannot be used: ECONNREFUSED/);
    expect(said).not.toMatch(noStack);
  });

  test("a Graph that does not answer", async () => {
    const GRAPH_ENDPOINT = nobody;
    const { code, said } = await start(["--once", "--mailbox", "me"], { GRAPH_ENDPOINT, GRAPH_ACCESS_TOKEN: "any" });
    expect(code).toBe(1);
    expect(said).toMatch(/1 not fresh: waiting: ECONNREFUSED. Graph cannot be reached/);
    expect(said).not.toMatch(noStack);
  });

  test("a token that Graph refuses; the right one mirrors the mailbox", async () => {
    const core = createGraph({ clock: { nowMs: () => Date.now() }, random: randomFrom(1), calendars: 4 });
    const graph = await startGraphServer({ core, token: "right" });
    const me = ["--once", "--mailbox", "me"];
    const [wrong, right] = await Promise.all([
      start(me, { GRAPH_ENDPOINT: graph.url, GRAPH_ACCESS_TOKEN: "wrong" }),
      start(me, { GRAPH_ENDPOINT: graph.url, GRAPH_ACCESS_TOKEN: "right" }),
    ]);
    await graph.close();
    expect(wrong.code).toBe(1);
    expect(wrong.said).toMatch(/1 not fresh: waiting: InvalidAuthenticationToken. Graph refuses the token/);
    expect(wrong.said).not.toMatch(noStack);
    expect(right.said).toMatch(/1 of 1 mailboxes fresh, 4 calendars/);
    expect(right.code).toBe(0);
  });
});

test("a token that begins like an option is a token all the same", async () => {
  const { code, said } = await start(["--once", "--mailboxes", "2"], { GRAPH_ACCESS_TOKEN: "-looks-like-an-option" });
  expect(said).toMatch(/2 of 2 mailboxes fresh/);
  expect(code).toBe(0);
});

test("a discovered roster is compared with the rule: some of each kind, and those that ROSTER_KINDS leaves out", async () => {
  const args = ["--once", "--roster", "directory", "--calendars", "2"];
  const [all, people] = await Promise.all([start(args), start(args, { ROSTER_KINDS: "user" })]);
  const mailboxesOf = (said: string) => Number(/(\d+) of \1 mailboxes fresh/.exec(said)?.[1]);
  for (const { code, said } of [all, people]) {
    expect(said).toMatch(/identical to the simulator's mailboxes/);
    expect(code).toBe(0);
  }
  expect(mailboxesOf(people.said)).toBeLessThan(mailboxesOf(all.said));
});

test("I2: what --data keeps is taken up by the next run: nothing is read anew, nothing is an error, ports are the same", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "calendar-mirror-"));
  const size = ["--mailboxes", "3", "--calendars", "2"];
  try {
    const run = async (args: readonly string[]) => {
      const { code, said } = await start(["--once", "--json", "--data", dataDir, ...args]);
      const events = said
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(events.at(-1)).toMatchObject({
        event: "summary",
        mailboxes: 3,
        fresh: 3,
        calendars: 6,
        different: [],
        // Three calendars are renamed, each of another mailbox.
        receiver: { refused: 0, edits: 3, untold: 0, different: [] },
      });
      expect(code).toBe(0);
      const of = (name: string) => events.filter(({ event }) => event === name);
      return {
        of,
        summary: events.at(-1),
        ports: of("started").map(({ hostUrl, simulatorUrl }) => [hostUrl, simulatorUrl]),
      };
    };
    const first = await run(size);
    expect([first.of("resuming"), first.of("receiver")]).toEqual([[], [{ event: "receiver", isResumed: false }]]);
    expect(first.summary.fullRounds).toBe(3);
    const second = await run([]); // Of the same size without being told.
    expect(second.of("receiver")).toEqual([{ event: "receiver", isResumed: true }]);
    expect([second.ports, second.of("host"), second.of("resuming")]).toEqual([first.ports, [], [expect.anything()]]);
    expect(second.summary.fullRounds).toBe(0);
    const taken = createServer().listen(Number(new URL(first.ports[0]?.[1]).port), "127.0.0.1");
    const third = await run(size);
    taken.close();
    expect(third.of("portLost")).toEqual([{ event: "portLost", port: Number(new URL(first.ports[0]?.[1]).port) }]);
    const other = await start(["--once", "--data", dataDir, "--mailboxes", "4"]);
    expect(other).toEqual({
      code: 1,
      said: `--data ${dataDir} holds a world of --mailboxes 3: leave out --mailboxes, or name another folder.\n`,
    });
  } finally {
    await rm(dataDir, { recursive: true });
  }
}, 150_000);

/** `npm start --json` until its end, with what it has said by then. */
async function following(args: readonly string[]) {
  const child = spawn(process.execPath, [programPath("start"), "--json", ...args], { cwd: root });
  children.add(child);
  const events: Record<string, unknown>[] = [];
  createInterface(child.stdout).on("line", (line) => events.push(JSON.parse(line)));
  const complaints: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text) => complaints.push(text));
  const ended = once(child, "close");
  const untilSaid = async (is: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = events.find(is);
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`It ended. It had said: ${JSON.stringify(events)}`);
      await Promise.race([ended, once(child.stdout, "data")]);
    }
  };
  const stop = async () => {
    child.kill("SIGINT");
    const [code] = await ended;
    children.delete(child);
    return code as number | null;
  };
  return { events, untilSaid, stop, errors: () => complaints.join("") };
}

/** At the address that is printed, as it stands. */
async function answersAnAssistant(events: readonly Record<string, unknown>[]) {
  const url = events.find(({ mcp }) => mcp !== undefined)?.["mcp"];
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  expect((await fetch(String(url), { method: "POST", headers, body })).status).toBe(200);
}

test("a folder in use is refused, and whoever has it goes on; Ctrl-C says what it does, and --json is nothing but events", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "calendar-mirror-"));
  const { untilSaid, stop, events, errors } = await following(["--mailboxes", "2", "--data", dataDir]);
  try {
    await untilSaid(({ event }) => event === "starting");
    expect(await start(["--once", "--data", dataDir])).toEqual({
      code: 1,
      said: `--data ${dataDir} is in use by another npm start. End that one first, or name another folder.\n`,
    });
    await untilSaid(({ event }) => event === "change");
    await answersAnAssistant(events);
    const isShared = (event: Record<string, unknown>) =>
      (event["after"] as { isShared?: true } | null)?.isShared === true;
    await untilSaid(isShared); // So that "which calendars does somebody share?" has an answer.
  } finally {
    expect(await stop()).toBe(0);
    await rm(dataDir, { recursive: true });
  }
  expect(events.at(-1)).toEqual({ event: "ending", dataDir });
  const strings = (value: unknown): readonly string[] =>
    typeof value === "string" ? [value] : Object.values((value ?? {}) as object).flatMap(strings);
  for (const event of events) {
    expect(strings(event).filter((text) => text === "" || text !== text.trim())).toEqual([]);
    expect(event["event"]).toMatch(/^[a-z][A-Za-z]+$/);
  }
  expect(events.filter(({ event }) => event === "hint").every((hint) => Object.keys(hint).length > 1)).toBe(true);
  expect(errors()).toBe("");
}, 100_000);

test("what was broken of Graph is broken in the next run, which says so, goes on, and prints what mends it", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "calendar-mirror-"));
  const first = await following(["--mailboxes", "2", "--calendars", "2", "--data", dataDir]);
  try {
    const command = String((await first.untilSaid(({ break: one }) => one !== undefined))["break"]);
    await promisify(exec)(command);
    const url = /(http:.*\/_control)\//.exec(command)?.[1];
    await fetch(`${url}/faults`, { method: "POST", body: '{"kind":"throttled","on":"directory"}' });
  } finally {
    expect(await first.stop()).toBe(0);
  }
  const second = await following(["--data", dataDir]);
  try {
    const { broken, mend } = await second.untilSaid(({ event }) => event === "broken");
    expect(broken).toBe("1 mailbox denied, fault throttled");
    expect(await second.untilSaid(({ event }) => event === "summary")).toMatchObject({ mailboxes: 2, fresh: 1 });
    await second.untilSaid(({ event }) => event === "following");
    await promisify(exec)(String(mend));
  } finally {
    expect(await second.stop()).toBe(0);
  }
  const { code, said } = await start(["--data", dataDir, "--once"]);
  expect(said).not.toContain("told to do wrong");
  expect(code).toBe(1); // It waits until it is asked again, which nobody has done.
  await rm(dataDir, { recursive: true });
}, 100_000);

test("--once that is interrupted has not done what it was to do: exit code 130", async () => {
  const { untilSaid, stop } = await following(["--once"]);
  await untilSaid(({ event }) => event === "started");
  expect(await stop()).toBe(130);
}, 60_000);

describe.concurrent("what it prints leads on", { timeout: 90_000 }, () => {
  test("the command that it prints copies the simulated tenant into a file", async ({ onTestFinished }) => {
    const dir = await mkdtemp(join(tmpdir(), "calendar-mirror-"));
    const { untilSaid, stop } = await following(["--mailboxes", "3", "--calendars", "2"]);
    onTestFinished(async () => {
      await stop();
      await rm(dir, { recursive: true });
    });
    const hint = String((await untilSaid(({ copy }) => copy !== undefined))["copy"]);
    const file = join(dir, "calendars.db");
    const command = hint.replace(/calendars\.db$/, `${file} --once`); // Not into a file that somebody may have made.
    const { stdout } = await promisify(exec)(command, { cwd: root });
    const [, calendars] = /items; { calendars: (\d+), mailboxes: 3 }\n$/.exec(stdout) ?? [];
    expect(Number(calendars)).toBeGreaterThanOrEqual(3); // The simulator goes on editing.
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare("SELECT count(*) AS calendars FROM calendars").get()).toEqual({ calendars: Number(calendars) });
    db.close();
  });

  test("the command that it prints receives notifications, as its own receiver does", async ({ onTestFinished }) => {
    const dir = await mkdtemp(join(tmpdir(), "calendar-mirror-"));
    const { untilSaid, stop, events } = await following(["--mailboxes", "3", "--calendars", "2"]);
    onTestFinished(async () => {
      await stop();
      await rm(dir, { recursive: true });
    });
    const hint = String((await untilSaid(({ receive }) => receive !== undefined))["receive"]);
    const [npx, node, ...words] = hint.replace(/notifications\.db$/, join(dir, "notifications.db")).split(" ");
    expect([npx, node]).toEqual(["npx", "node"]);
    const child = spawn(process.execPath, [...words, `${await freePort()}`], { cwd: root });
    children.add(child);
    onTestFinished(() => void child.kill("SIGKILL"));
    const lines: string[] = [];
    createInterface(child.stdout).on("line", (line) => lines.push(line));
    while (!lines.some((line) => /^(created|updated|deleted) users\/[^/]+\/calendars\/\S+$/.test(line))) {
      expect(child.exitCode).toBeNull();
      await once(child.stdout, "data");
    }
    const renamed = await untilSaid(({ event, what }) => event === "change" && what === "updated");
    expect(renamed).toMatchObject({
      displayName: expect.stringMatching(/^[A-Z]\w+ [A-Z]\w+$/),
      name: expect.any(String),
      before: expect.any(Object),
      after: expect.any(Object),
      secondsSinceEdit: expect.any(Number),
    });
    expect(events.filter(({ event, what }) => event === "change" && what === "joined")).toHaveLength(3);
  });
});
