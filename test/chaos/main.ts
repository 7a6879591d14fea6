import { parseArgs } from "node:util";
import { productAt } from "../../local/start/product.js";
import { Followers } from "./followers.js";
import { nudgesSent, openMirror, sameTexts, truthOf, unannounced } from "./mirror.js";
import { calm, storm } from "./storm.js";
import { Subscriber } from "./subscriber.js";
import { TenantReaders } from "./tenantReaders.js";
import { type ChaosWorld, startWorld } from "./world.js";

/**
 * Chaos with real parts: Azurite, the Graph simulator over HTTP, and host processes that are killed at random while
 * people edit, programs follow the feed or are told by notifications, and Graph fails. Then calm: the mirror must become what the mailboxes are,
 * every change announced, and the same the copies of those who follow a mailbox, copy the tenant, or are told.
 * Messages of a killed host stay hidden for ten minutes, longer than all this: what brings the mirror right are new ticks.
 */

const USAGE = `usage: npm run test:chaos -- [options]
  --seeds N      worlds, one after the other (default 2)
  --seed N       the first of them (default 1)
  --seconds N    how long each storm lasts (default 40)
  --hosts N      host processes (default 3)
  --mailboxes N  (default 24)
  --verbose      what the hosts say on stderr, too`;

type Arguments = Readonly<Record<"seeds" | "seed" | "seconds" | "hosts" | "mailboxes", number>> & {
  readonly verbose: boolean;
};

function argumentsOf(): Arguments {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
      seconds: { type: "string", default: "40" },
      hosts: { type: "string", default: "3" },
      mailboxes: { type: "string", default: "24" },
      verbose: { type: "boolean", default: false },
    },
  });
  const number = (name: Exclude<keyof typeof values, "verbose">): number => {
    if (!/^[1-9]\d{0,5}$/.test(values[name]))
      throw new Error(`--${name} must be a number from 1, not "${values[name]}"`);
    return Number(values[name]);
  };
  return {
    seeds: number("seeds"),
    seed: number("seed"),
    seconds: number("seconds"),
    hosts: number("hosts"),
    mailboxes: number("mailboxes"),
    verbose: values.verbose,
  };
}

function say(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

async function chaos(seed: number, given: Arguments): Promise<boolean> {
  const { hosts, mailboxes, seconds, verbose } = given;
  const hear = (line: string) => {
    if (verbose) say(line);
  };
  const world = await startWorld({ seed, hosts, mailboxes, hear });
  const readers = await TenantReaders.open(world.pool, seed);
  const subscriber = await Subscriber.open(world.pool, seed);
  try {
    const ids = world.graph.mailboxes.ids();
    const hostUrl = world.pool.ready()[0]?.hostUrl ?? "";
    await productAt(hostUrl).addMailboxes(ids.map((id) => ({ id })));
    say(`seed ${seed}: ${hosts} hosts, ${ids.length} mailboxes, ${seconds} s of storm`);
    const followers = new Followers(world.pool);
    const counts = Object.entries(await storm(world, followers, readers, seconds));
    say(counts.map(([name, count]) => `${count} ${name}`).join(", "));
    // A storm without wind would prove nothing.
    const lulls = counts.filter(([name, count]) => count === 0 && name !== "troubled").map(([name]) => `no ${name}`);
    say(injectedText(world));
    const left = [
      ...lulls,
      ...(await calm(world, say)),
      ...(await unannouncedOf(world)),
      ...(await followed(world, followers)),
      ...(await copied(world, readers)),
      ...(await told(world, subscriber)),
      ...world.pool.crashes.map((reason) => `a host died that nobody had killed: ${reason}`),
    ];
    for (const line of left) say(line);
    return left.length === 0;
  } finally {
    await readers.stop();
    subscriber.stop();
    await world.stop();
  }
}

/** Mailboxes of whose changes nobody was notified. */
async function unannouncedOf({ connectionString, graph }: ChaosWorld): Promise<readonly string[]> {
  const { count, highest } = await nudgesSent(connectionString);
  say(`${count} nudges for ${highest.size} mailboxes`);
  return unannounced(openMirror(connectionString), graph.mailboxes.ids(), highest);
}

/** Followers whose copy is not the mailbox, once the feed has nothing more for them. */
async function followed({ graph }: ChaosWorld, followers: Followers): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of graph.mailboxes.ids()) {
    let steps = 0;
    while (!(await followers.step(id)) && steps < 200) steps += 1;
    const copy = followers.copyOf(id);
    if (copy === null || !sameTexts(copy, truthOf(graph, id))) found.push(`${id}: the copy kept by the feed differs`);
  }
  const { pages, startedOver } = followers.counts;
  say(`followers read ${pages} pages of the feed and started over ${startedOver} times`);
  return [...found, ...followers.faults];
}

/** Copies of the tenant that are not the mailboxes, once the change log has told all. */
async function copied(world: ChaosWorld, readers: TenantReaders): Promise<readonly string[]> {
  const copies = await readers.copies();
  const { started, kills } = readers.counts;
  say(`${copies.length} readers of the tenant were started ${started} times and killed ${kills} times`);
  const ids = world.graph.mailboxes.ids();
  const found = copies.flatMap((copy, index) =>
    ids
      .filter((id) => !sameTexts(copy.get(id) ?? new Map(), truthOf(world.graph, id)))
      .concat([...copy.keys()].filter((id) => !ids.includes(id)))
      .map((id) => `${id}: differs in copy ${index + 1} of the tenant`),
  );
  return kills > copies.length ? found : [...found, "no reader of the tenant was killed in the storm"];
}

/** Mailboxes that differ in the copy of who is told by notifications alone. */
async function told({ graph }: ChaosWorld, subscriber: Subscriber): Promise<readonly string[]> {
  const ids = graph.mailboxes.ids();
  const different = () => ids.filter((id) => !sameTexts(subscriber.copy.get(id) ?? new Map(), truthOf(graph, id)));
  await subscriber.becomes(() => different().length === 0);
  const { requests, notifications, refusals } = subscriber.counts;
  say(`a subscriber took ${notifications} notifications in ${requests} requests and refused ${refusals}`);
  const lull = notifications > 0 && refusals > 0 ? [] : ["no subscriber was told, or none refused"];
  return [...lull, ...subscriber.faults, ...different().map((id) => `${id}: differs in the copy of a subscriber`)];
}

function injectedText({ graph }: ChaosWorld): string {
  const injected = Object.entries(graph.faults.injected()).filter(([, count]) => count > 0);
  return `Graph failed: ${injected.map(([kind, count]) => `${kind} ${count}`).join(", ")}`;
}

async function main(given: Arguments): Promise<void> {
  let passed = 0;
  for (let seed = given.seed; seed < given.seed + given.seeds; seed++) if (await chaos(seed, given)) passed += 1;
  console.log(`${passed} passed, ${given.seeds - passed} failed`);
  process.exitCode = passed === given.seeds ? 0 : 1;
}

let given: Arguments | null = null;
try {
  given = argumentsOf();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
if (given !== null) await main(given);
