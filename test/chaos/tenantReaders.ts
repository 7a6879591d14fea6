import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { type Random, randomFrom } from "../../local/graph/random.js";
import { root } from "../../local/root.js";
import { type Child, run } from "../../local/start/processes.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { contentText } from "../sim/views.js";
import type { HostPool } from "./hosts.js";

/** What a file holds: the calendars of each mailbox as text, by id. */
export type TenantCopy = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** How long readers that were killed stay away. */
const awayMsMax = 2_000;

type Reader = {
  readonly file: string;
  child: Child | null;
  comesBackMs: number;
};

/**
 * Programs that copy the whole tenant into files, each a process of `examples/copy-tenant.mjs`, through whichever host is
 * up, while they and the hosts are killed (I13). One follows all the time; the other one comes in the second half of the
 * storm, and then when all is over.
 */
export class TenantReaders {
  readonly counts = { started: 0, kills: 0 };
  readonly #random: Random;

  private constructor(
    private readonly server: Server,
    private readonly dir: string,
    private readonly steady: Reader,
    private readonly late: Reader,
    seed: number,
  ) {
    this.#random = randomFrom(seed);
  }

  static async open(pool: HostPool, seed: number): Promise<TenantReaders> {
    const dir = await mkdtemp(join(tmpdir(), "calendar-mirror-readers-"));
    const reader = (name: string): Reader => ({ file: join(dir, `${name}.db`), child: null, comesBackMs: 0 });
    const server = inFrontOf(pool);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TenantReaders(server, dir, reader("steady"), reader("late"), seed);
  }

  /** To be called again and again in a storm. @param share How much of it has passed, 0 to 1. */
  step(share: number): void {
    for (const reader of share < 0.5 ? [this.steady] : [this.steady, this.late]) {
      if (reader.child === null && performance.now() >= reader.comesBackMs) reader.child = this.#start(reader);
      else if (reader.child !== null && this.#random.next() < 0.4) this.#kill(reader);
    }
  }

  /** Ends those that run, lets each become current, and reads their files. @throws Error with what one says that cannot. */
  async copies(): Promise<readonly TenantCopy[]> {
    const found: TenantCopy[] = [];
    for (const reader of [this.steady, this.late]) {
      if (reader.child !== null) this.#kill(reader);
      const last = this.#start(reader, "--once");
      const [code] = await new Promise<[number | null]>((resolve) => {
        last.process.once("close", (ended) => resolve([ended]));
      });
      if (code !== 0) throw new Error(`A reader of the tenant ended with ${code}: ${await last.died}`);
      found.push(copyIn(reader.file));
    }
    return found;
  }

  async stop(): Promise<void> {
    for (const reader of [this.steady, this.late]) if (reader.child !== null) this.#kill(reader);
    await pause(100);
    this.server.close();
    this.server.closeAllConnections();
    await rm(this.dir, { recursive: true, force: true });
  }

  #start(reader: Reader, ...options: readonly string[]): Child {
    this.counts.started += 1;
    const { port } = this.server.address() as AddressInfo;
    const args = [join(root, "examples", "copy-tenant.mjs"), `http://127.0.0.1:${port}/api`, reader.file, ...options];
    const env = { ...process.env, REST_SECONDS: "0.2", NODE_NO_WARNINGS: "1" };
    return run("A reader of the tenant", process.execPath, args, env, () => undefined);
  }

  #kill(reader: Reader): void {
    this.counts.kills += 1;
    reader.child?.process.kill("SIGKILL");
    reader.child = null;
    reader.comesBackMs = performance.now() + awayMsMax * this.#random.next();
  }
}

/** The name in front of the hosts: it stays while they come and go. */
function inFrontOf(pool: HostPool): Server {
  return createServer((incoming, outgoing) => {
    const hostUrl = pool.ready()[0]?.hostUrl ?? null;
    if (hostUrl === null) {
      outgoing.writeHead(503, { "retry-after": "1" }).end();
      return;
    }
    const { method, headers, url = "/" } = incoming;
    const onward = request(new URL(url, hostUrl), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", () => outgoing.destroy()); // The host died under it.
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
}

function copyIn(file: string): TenantCopy {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const found = new Map<string, Map<string, string>>();
    for (const { userId, json } of db.prepare("SELECT userId, json FROM calendars").all()) {
      const { userId: _, ...calendar } = JSON.parse(String(json)) as JsonObject;
      const own = found.get(String(userId)) ?? new Map<string, string>();
      found.set(String(userId), own.set(String(calendar["id"]), contentText(calendar)));
    }
    return found;
  } finally {
    db.close();
  }
}
