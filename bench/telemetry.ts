import { spawn } from "node:child_process";
import { once } from "node:events";
import { createGraph } from "../local/graph/graph.js";
import { randomFrom } from "../local/graph/random.js";
import { startGraphServer } from "../local/graph/server.js";
import { addMailbox } from "../shared/roster/byHand.js";
import { runRounds } from "../shared/rounds/runRounds.js";
import { createOpenTelemetry } from "../shared/telemetry/openTelemetry.js";
import { runAttributes, runPoints } from "../shared/telemetry/runTelemetry.js";
import { noTelemetry, type Telemetry } from "../shared/telemetry/telemetry.js";
import { shardRuns } from "../test/worlds/runs.js";

/**
 * What telling costs the process that tells: processor time of quiet ticks with telemetry by OTLP, beside the same ticks
 * without, in turn. The receiver is a process of its own; table and Graph simulator are in this one, and equal for both.
 * Run it by `npm run bench:telemetry`.
 */
const mailboxes = Number(process.env["BENCH_MAILBOXES"] ?? 4000);
const rounds = Number(process.env["BENCH_RUNS"] ?? 41);

const sinkSource = `
let spans = 0, bytes = 0;
const server = require("node:http").createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  if (request.method === "GET") return response.end(JSON.stringify({ spans, bytes }));
  const count = (text.match(/"spanId"/g) ?? []).length;
  spans += count;
  if (count > 0) bytes += text.length;
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
}).listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
`;

async function startSink() {
  const child = spawn(process.execPath, ["-e", sinkSource], { stdio: ["ignore", "pipe", "inherit"] });
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  const url = first.toString("utf8").trim();
  const received = async () => (await (await fetch(url)).json()) as { spans: number; bytes: number };
  return { url, received, stop: () => child.kill() };
}

async function mirror(graphUrl: string, ids: readonly string[], telemetry: Telemetry) {
  const trial = shardRuns(graphUrl, { telemetry });
  await trial.ports.store.open();
  for (const id of ids) await addMailbox(id, {}, trial.ports.store, trial.ports.newId);
  const about = { kind: "internal", attributes: {} } as const;
  const tick = () =>
    telemetry.span("runRounds", about, async () => {
      const message = trial.tick();
      trial.advance(300_000);
      const end = await runRounds(message, trial.ports);
      telemetry.note(() => runAttributes(message.shard, end));
      telemetry.record(runPoints(message.shard, end));
    });
  const cpuMs = async () => {
    const before = process.cpuUsage();
    await tick();
    await telemetry.flush((trouble) => console.log(trouble));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  return { cpuMs, close: () => trial.transport.close() };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >>> 1] ?? Number.NaN;
}

const sink = await startSink();
process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.url;
const { otlpExporters } = await import("../shared/telemetry/otlp.js");
let flushes = 0;
const telemetry = createOpenTelemetry({
  exporters: [otlpExporters()],
  resource: { "service.name": "bench", "service.instance.id": "one" },
  isSampled: false,
  nowMs: () => ++flushes * 60_000, // Each tick is followed by its flush, as five minutes lie between them.
});
const graph = createGraph({ clock: { nowMs: () => 0 }, random: randomFrom(1), mailboxes, calendars: 1 });
const server = await startGraphServer({ core: graph });
const ids = graph.mailboxes.ids();
const ways = { off: await mirror(server.url, ids, noTelemetry), on: await mirror(server.url, ids, telemetry) };
const times = { off: [] as number[], on: [] as number[] };
const warmUp = 5; // First rounds, and what the compiler of V8 learns.
let before = { spans: 0, bytes: 0 };
for (let run = -warmUp; run < rounds; run++) {
  if (run === 0) before = await sink.received();
  for (const way of ["off", "on"] as const) {
    const cpuMs = await ways[way].cpuMs();
    if (run >= 0) times[way].push(cpuMs);
  }
}
const { spans, bytes } = await sink.received();
const [toldSpans, toldBytes] = [spans - before.spans, bytes - before.bytes];
const added = median(times.on.map((onMs, run) => onMs - (times.off[run] ?? Number.NaN)));
const perThousand = 1000 / mailboxes;
console.log(`${rounds} quiet ticks of ${mailboxes} mailboxes each way, in turn; medians; Node ${process.version}`);
console.log(`processor time of a tick without telemetry: ${median(times.off).toFixed(0)} ms`);
console.log(`telemetry adds ${added.toFixed(0)} ms: ${(added * perThousand).toFixed(1)} ms for 1,000 mailboxes`);
console.log(
  `${((toldSpans / rounds) * perThousand).toFixed(0)} spans for 1,000 mailboxes, ${(toldBytes / toldSpans).toFixed(0)} bytes each`,
);
for (const { close } of Object.values(ways)) close();
await server.close();
sink.stop();
process.exit(0);
