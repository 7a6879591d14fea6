import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { discoverRoster, oneTick, tickByFigures } from "../local/start/large.js";
import { productAt } from "../local/start/product.js";
import type { Screen } from "../local/start/screen.js";
import { startHost } from "./host.js";
import { type Latency, latencies, startSurroundings } from "./surroundings.js";

/**
 * `npm run bench:scale`: discovery, first sync and quiet ticks of large rosters, and the memory of the app's process.
 * Storage, Graph and host all share this machine's processors. `bench:onboarding` does the same under kills.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000" },
    calendars: { type: "string", default: "2" },
    latency: { type: "string", default: "zero" },
    json: { type: "boolean", default: false },
  },
});
const quietTicks = 3;
const startMs = performance.now();

const figures: Figures[] = [];
for (const size of values.sizes.split(",").map(Number)) figures.push(await measure(size, latencyOf(values.latency)));
if (values.json) console.log(JSON.stringify(figures));
else print();

type Figures = {
  readonly users: number;
  readonly mailboxes: number;
  readonly discoverySeconds: number;
  readonly firstSyncSeconds: number;
  readonly quietTickSeconds: readonly number[];
  /** Of the host's process: now, and the most that it ever was. */
  readonly memoryMiB: number;
  readonly memoryPeakMiB: number;
};

function latencyOf(wanted: string): Latency {
  const latency = latencies.find(({ name }) => name === wanted);
  if (latency === undefined) throw new Error(`--latency is zero or azure, not "${wanted}".`);
  return latency;
}

async function measure(users: number, latency: Latency): Promise<Figures> {
  if (!(Number.isInteger(users) && users >= 1)) throw new Error(`--sizes holds whole numbers, not "${values.sizes}".`);
  say(`${users} users`);
  const around = await startSurroundings({ mailboxes: users, calendars: Number(values.calendars), latency }, null);
  try {
    const settings = { ROSTER: "directory", ROSTER_SCHEDULE: "0 0 0 1 1 *" };
    const app = { appDir: join(import.meta.dirname, ".."), settings, profileDir: null };
    const host = await startHost(around, app, () => undefined);
    try {
      const product = productAt(host.url);
      let mailboxes = 0;
      const discoverySeconds = await timed(async () => {
        mailboxes = await discoverRoster(product, screen());
      });
      const firstSyncSeconds = await timed(() => tickByFigures(product, screen()));
      const quietTickSeconds: number[] = [];
      for (let tick = 0; tick < quietTicks; tick++) quietTickSeconds.push(await timed(() => oneTick(product)));
      say(`quiet ticks: ${quietTickSeconds.map((seconds) => seconds.toFixed(1)).join(", ")} s`);
      const memory = memoryOf(host.child.process.pid ?? 0);
      return { users, mailboxes, discoverySeconds, firstSyncSeconds, quietTickSeconds, ...memory };
    } finally {
      await host.child.stop();
    }
  } finally {
    await around.stop();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const sinceMs = performance.now();
  await work();
  return (performance.now() - sinceMs) / 1000;
}

function memoryOf(pid: number): Pick<Figures, "memoryMiB" | "memoryPeakMiB"> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { memoryMiB: mib("VmRSS"), memoryPeakMiB: mib("VmHWM") };
}

function say(text: string): void {
  process.stderr.write(`${((performance.now() - startMs) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
}

/** Progress, beside the figures and not among them. */
function screen(): Screen {
  return {
    say,
    progress: ({ fresh, mailboxes, calendars }) => say(`${fresh} of ${mailboxes} fresh, ${calendars} calendars`),
    summary: () => undefined,
    changes: () => undefined,
    fail: say,
  };
}

function print(): void {
  console.log("     users  mailboxes  discovery  first sync      quiet tick   memory, peak");
  for (const one of figures) {
    const quiet = [...one.quietTickSeconds].sort((a, b) => a - b)[one.quietTickSeconds.length >>> 1] ?? Number.NaN;
    const texts = [
      String(one.users).padStart(10),
      String(one.mailboxes).padStart(11),
      `${one.discoverySeconds.toFixed(1)} s`.padStart(11),
      `${one.firstSyncSeconds.toFixed(1)} s`.padStart(12),
      `${quiet.toFixed(1)} s`.padStart(16),
      `${one.memoryMiB}, ${one.memoryPeakMiB} MiB`.padStart(15),
    ];
    console.log(texts.join(""));
  }
}
