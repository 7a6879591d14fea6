import { availableParallelism } from "node:os";
import type { Contender } from "./contenders.js";
import { type Phase, phases, type Sample } from "./phases.js";

export type Result = { readonly contender: Contender; readonly latency: string; readonly samples: readonly Sample[] };

/** Of one contender in one phase: medians over all its ticks. */
type Cell = {
  readonly ms: number;
  readonly samplesMs: readonly number[];
  readonly graphRequests: number;
  /** The most mailboxes that were ever wrong after it. */
  readonly wrong: number | null;
  readonly cpu: Sample["cpu"];
};
type Row = Pick<Contender, "name" | "kind" | "concurrency"> & {
  readonly latency: string;
  readonly cells: Readonly<Partial<Record<Phase, Cell>>>;
};
/** How many times as long a phase takes somebody else as it takes us. */
type Ratio = {
  readonly what: string;
  readonly latency: string;
  readonly phase: Phase;
  readonly ratio: number;
  readonly of: string;
};

export type Report = ReturnType<typeof reportOf>;

export function reportOf(
  results: readonly Result[],
  { mailboxes, calendars, rounds }: { readonly mailboxes: number; readonly calendars: number; readonly rounds: number },
) {
  const keyOf = ({ contender, latency }: Result) => `${latency} ${contender.name}`;
  const rows = [...new Set(results.map(keyOf))].map((key) => rowOf(results.filter((one) => keyOf(one) === key)));
  const processors = availableParallelism();
  return { mailboxes, calendars, rounds, processors, node: process.version, rows, ratios: ratiosOf(rows) };
}

function rowOf(results: readonly Result[]): Row {
  const [{ contender, latency }] = results as [Result];
  const samples = results.flatMap((result) => result.samples);
  const ran = phases.filter((phase) => samples.some((sample) => sample.phase === phase));
  const cells = ran.map((phase) => [phase, cellOf(samples.filter((sample) => sample.phase === phase))]);
  const { name, kind, concurrency } = contender;
  return { name, kind, concurrency, latency, cells: Object.fromEntries(cells) };
}

function cellOf(samples: readonly Sample[]): Cell {
  const cpu = (name: keyof Sample["cpu"]) => {
    const seconds = samples.flatMap((sample) => sample.cpu[name] ?? []);
    return seconds.length === 0 ? null : median(seconds);
  };
  const wrong = samples.flatMap((sample) => sample.wrong ?? []);
  return {
    ms: median(samples.map(({ ms }) => ms)),
    samplesMs: samples.map(({ ms }) => Math.round(ms)),
    graphRequests: median(samples.map(({ graphRequests }) => graphRequests)),
    wrong: wrong.length === 0 ? null : Math.max(...wrong),
    cpu: { own: cpu("own"), storage: cpu("storage"), graph: cpu("graph") },
  };
}

function ratiosOf(rows: readonly Row[]): readonly Ratio[] {
  const ours = rows.filter(({ kind, name }) => kind === "product" && name === "calendar-mirror");
  return ours.flatMap((our) => {
    const beside = rows.filter(({ latency, kind }) => latency === our.latency && kind !== "product");
    return phases.flatMap((phase) => {
      const sets: readonly (readonly [string, readonly Row[]])[] = [
        ["best peer, own concurrency", beside.filter((row) => row.kind === "peer" && row.concurrency === "own")],
        ["best peer, any concurrency", beside.filter((row) => row.kind === "peer")],
        ["floor", beside.filter((row) => row.kind === "floor")],
      ];
      return sets.flatMap(([what, set]) => ratioOf(what, phase, our, set));
    });
  });
}

/** Against the fastest that was right. */
function ratioOf(what: string, phase: Phase, our: Row, others: readonly Row[]): readonly Ratio[] {
  const timed = others.flatMap(({ name, cells }) => {
    const cell = cells[phase];
    return cell === undefined || (cell.wrong ?? 0) > 0 ? [] : [{ name, ms: cell.ms }];
  });
  const [best] = timed.sort((one, other) => one.ms - other.ms);
  const ms = our.cells[phase]?.ms;
  if (best === undefined || ms === undefined) return [];
  return [{ what, latency: our.latency, phase, ratio: best.ms / ms, of: best.name }];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function printReport(report: Report): void {
  const { mailboxes, calendars, rounds, processors, node, rows, ratios } = report;
  console.log(`${mailboxes} mailboxes of ${calendars} calendars, ${rounds} rounds, ${processors} processors, ${node}`);
  for (const latency of new Set(rows.map((row) => row.latency))) {
    const part = rows.filter((row) => row.latency === latency);
    console.log(`\nLatency ${latency}: seconds, medians`);
    print(part, (cell) => `${(cell.ms / 1000).toFixed(2)}${cell.wrong !== null && cell.wrong > 0 ? " WRONG" : ""}`);
    console.log(`\nLatency ${latency}: Graph HTTP requests`);
    print(part, (cell) => String(cell.graphRequests));
    console.log(`\nLatency ${latency}: seconds of processor time, own / storage`);
    print(part, ({ cpu }) => `${cpu.own?.toFixed(2) ?? "?"} / ${cpu.storage?.toFixed(2) ?? "?"}`);
  }
  console.log("\nHow many times as long the others take (WRONG ones are left out)");
  for (const { what, latency, phase, ratio, of } of ratios) {
    console.log(`  ${latency.padEnd(6)}${phase.padEnd(11)}${what.padEnd(28)}${ratio.toFixed(2).padStart(7)}  ${of}`);
  }
}

function print(rows: readonly Row[], textOf: (cell: Cell) => string): void {
  console.log(`  ${"".padEnd(20)}${phases.map((phase) => phase.padStart(14)).join("")}`);
  for (const { name, cells } of rows) {
    const texts = phases.map((phase) => {
      const cell = cells[phase];
      return (cell === undefined ? "" : textOf(cell)).padStart(14);
    });
    console.log(`  ${name.padEnd(20)}${texts.join("")}`);
  }
}
