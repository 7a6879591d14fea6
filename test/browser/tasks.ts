import type { CDPSession } from "playwright-core";

/** What Chromium's tracing tells of a piece of work. `tdur`: processor time, in microseconds. */
type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly beginData?: { readonly url?: string } };
};

/** One task of a page's main thread. `atMs`: since the page was first parsed. What other processes take is not in `processorMs`. */
export type Task = { readonly atMs: number; readonly processorMs: number };

/** Traces the next page of this origin. What is given back ends that, and tells the tasks of its main thread since it was first parsed. */
export async function traceTasks(client: CDPSession, origin: string): Promise<() => Promise<readonly Task[]>> {
  const events: TraceEvent[] = [];
  client.on("Tracing.dataCollected", ({ value }) => void events.push(...(value as unknown as TraceEvent[])));
  const traceConfig = { includedCategories: ["toplevel", "devtools.timeline"] };
  await client.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  return async () => {
    const ended = new Promise((resolve) => client.once("Tracing.tracingComplete", resolve));
    await client.send("Tracing.end");
    await ended;
    return tasksIn(events, origin);
  };
}

function tasksIn(events: readonly TraceEvent[], origin: string): readonly Task[] {
  const isParsing = ({ name, args }: TraceEvent) =>
    name === "ParseHTML" && args?.beginData?.url?.startsWith(origin) === true;
  const parsed = events.filter(isParsing).sort((one, other) => one.ts - other.ts)[0];
  if (parsed === undefined) throw new Error("The trace lacks the page.");
  const isTask = ({ name, ph, pid, tid, ts, dur = 0 }: TraceEvent) =>
    ph === "X" && name.endsWith("RunTask") && pid === parsed.pid && tid === parsed.tid && ts + dur > parsed.ts;
  return events.filter(isTask).map(({ ts, tdur = 0 }) => ({ atMs: (ts - parsed.ts) / 1000, processorMs: tdur / 1000 }));
}
