import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { below, randomFrom } from "../../local/graph/random.js";
import { root } from "../../local/root.js";
import { fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf, listening, type Reply } from "../worlds/http.js";

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const requestsMax = 120;

type Row = readonly [userId: string, id: string, name: string];

/** A mirror whose routes listen on a port, three rows to a page, and the example as a process of its own. */
async function copying(onRequest: (count: number, child: ChildProcess | null) => Promise<Reply | null>) {
  const world = fleet({
    mailboxes: 12,
    calendars: { min: 2, max: 4 },
    shards: 4,
    source: { kind: "directory" },
  });
  await world.store.open();
  await world.discover();
  await world.tick();
  await world.tick();
  const http = httpOf(world);
  const dir = await mkdtemp(join(tmpdir(), "calendar-mirror-copy-"));
  opened.push(() => rm(dir, { recursive: true }));
  const file = join(dir, "calendars.db");
  const seen = new Set<string>();
  let child: ChildProcess | null = null;
  let requests = 0;
  const server = await listening(async (url, headers) => {
    seen.add(`${headers["x-functions-key"]} ${new URL(url).pathname}`);
    requests += 1;
    return (await onRequest(requests, child)) ?? http.beta(url, { ...headers, prefer: "odata.maxpagesize=3" });
  });
  opened.push(server.close);
  /** Runs it to its end. @returns The exit code, null when it was killed, and what it said. */
  const run = async (...args: readonly string[]) => {
    const env = { ...process.env, MIRROR_KEY: "key", REST_SECONDS: "0.01", NODE_NO_WARNINGS: "1" };
    const program = join(root, "examples", "copy-tenant.mjs");
    child = spawn(process.execPath, [program, `${server.url}/api`, file, ...args], { env });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => said.push(text));
    }
    const [code] = await once(child, "close");
    child = null;
    return { code: code as number | null, said: said.join("") };
  };
  /** The file as another program sees it. */
  const look = () => {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const { copy, shown } = db.prepare("SELECT copy, shown FROM place").get() as { copy: number; shown: number };
      const rows = db.prepare("SELECT userId, id, name FROM calendars ORDER BY userId, id").all();
      const held = db.prepare("SELECT count(DISTINCT copy) AS copies FROM item").get() as { copies: number };
      return { isWhole: copy === shown, rows: rows.map((row) => Object.values(row) as unknown as Row), ...held };
    } finally {
      db.close();
    }
  };
  /** The mirror: living calendars of all mailboxes that are served. */
  const mirror = async () => {
    const rows: Row[] = [];
    for (const [user, state] of await world.states()) {
      if (state === "suspended" || state === "removing") continue;
      const alive = (await world.store.readCalendars(user)).filter(({ removedMs }) => removedMs === null);
      rows.push(...alive.map(({ calendarId, resource }): Row => [user, calendarId, String(resource["name"])]));
    }
    return rows.sort(([oneUser, one], [otherUser, other]) => (oneUser + one < otherUser + other ? -1 : 1));
  };
  return { world, http, file, seen, run, look, mirror, requests: () => requests };
}

type Copying = Awaited<ReturnType<typeof copying>>;

/** Something happens to calendars or mailboxes, and the mirror takes it in. */
async function happen({ world, http }: Copying, random: { next(): number }): Promise<void> {
  const users = fitUsers(world);
  const user = users[below(random, users.length)] ?? "";
  const calendar = String(world.graph.truth(user)[0]?.["id"]);
  const dice = below(random, 10);
  if (dice < 4) world.graph.createCalendar(user, { name: `New ${below(random, 1000)}` });
  else if (dice < 6) world.graph.deleteCalendar(user, calendar);
  else if (dice < 8) world.graph.renameCalendar(user, calendar, `Renamed ${below(random, 1000)}`);
  else if (dice === 8 && users.length > 8) world.graph.mailboxes.remove(user);
  else if (dice === 9) {
    await http.remove(user); // By hand; half of them come back, in another epoch.
    if (random.next() < 0.5) await http.put(user);
  }
  await world.discover();
  await world.tick();
}

/** The logs forget all but their last rows: who has not read them starts over. */
async function forgetLogs({ world }: Copying): Promise<void> {
  for (const shard of world.shards) await world.store.retireLog(shard, Number.MAX_SAFE_INTEGER, () => false);
}

describe("examples/copy-tenant.mjs", () => {
  test.each([1, 2, 3])(
    "I13: killed at any request, and its position expired, its file ends as the mirror (seed %i)",
    { timeout: 60_000 },
    async (seed) => {
      const random = randomFrom(seed);
      let shown: readonly Row[] = [];
      const faults: unknown[] = [];
      let startedOver = 0;
      const copy = await copying(async (count, child) => {
        const kill = () => child?.kill("SIGKILL");
        const { isWhole, rows, copies } = copy.look();
        // While a new copy is made, readers see the one before it, and no other rows are kept.
        if (copies > 2 || (!isWhole && !isDeepStrictEqual(rows, shown))) faults.push({ count, copies, rows, shown });
        if (isWhole) shown = rows;
        if (count === requestsMax) kill();
        if (count >= requestsMax) return null;
        if (random.next() < 0.2) await happen(copy, random);
        if (random.next() < 0.05 && isWhole) {
          await happen(copy, random);
          await happen(copy, random);
          await forgetLogs(copy);
          startedOver += 1;
        }
        const dice = random.next();
        if (dice < 0.06) kill();
        else if (dice < 0.16) setTimeout(kill, 10 * random.next()); // In the midst of its writing, or of its next request.
        return null;
      });
      let kills = 0;
      for (; copy.requests() < requestsMax; kills++) expect(await copy.run()).toMatchObject({ code: null });
      expect([kills > 5, startedOver > 0, faults]).toEqual([true, true, []]);
      const { code, said } = await copy.run("--once");
      expect([code, said]).toEqual([
        0,
        expect.stringMatching(/^\S+Z \d+ items; { calendars: \d+, mailboxes: \d+ }\n$/),
      ]);
      expect(copy.look()).toEqual({ isWhole: true, rows: await copy.mirror(), copies: 1 });
      expect(copy.seen).toEqual(new Set(["key /api/beta/users/getAllCalendars/delta"]));
    },
  );

  test("waits as Retry-After says, and with --once ends when it is refused", async () => {
    const refused = (status: number, headers: Record<string, string> = {}): Reply => ({
      status,
      headers,
      body: { error: { code: "refused" } },
    });
    const atMs: number[] = [];
    const copy = await copying(async (count) => {
      atMs.push(performance.now());
      if (count === 1) return refused(503, { "retry-after": "1" });
      return count === 2 ? refused(401) : null;
    });
    const { code, said } = await copy.run("--once");
    expect([code, said]).toEqual([1, expect.stringMatching(/401 \{"error":\{"code":"refused"\}\}/)]);
    expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThanOrEqual(990);
    expect((await copy.run("--once")).code).toBe(0);
    expect(copy.look()).toMatchObject({ isWhole: true, rows: await copy.mirror() });
  });

  test("a file of another mirror becomes one of this, and shows the other one until then", async () => {
    const seen: unknown[] = [];
    const copy = await copying(async () => {
      seen.push(copy.look().rows.length);
      return null;
    });
    await copy.run("--once");
    const db = new DatabaseSync(copy.file);
    db.exec(
      "UPDATE place SET start = 'https://other/', link = 'https://other/'; DELETE FROM item WHERE name <> 'Calendar'",
    );
    db.close();
    const before = copy.look().rows.length;
    seen.splice(0);
    expect((await copy.run("--once")).code).toBe(0);
    expect(new Set(seen)).toEqual(new Set([before]));
    expect(copy.look()).toEqual({ isWhole: true, rows: await copy.mirror(), copies: 1 });
  });
});
