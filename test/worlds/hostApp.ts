import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { HostEvent } from "../../local/host/log.js";
import { programPath } from "../../local/root.js";

const ROOT = path.resolve(import.meta.dirname, "../..");

export type EventOf<Kind extends HostEvent["event"]> = Extract<HostEvent, { event: Kind }>;

export type AppOptions = {
  /** Files below `dist`, by name. */
  readonly files: Record<string, string>;
  readonly hostJson?: object;
  readonly type?: "module" | "commonjs";
  readonly localSettings?: object;
};

/** Writes an app to a folder of its own, with the project's packages in reach. Remove it with `removeApp`. */
export function writeApp({ files, hostJson, type = "module", localSettings }: AppOptions): string {
  const appDir = mkdtempSync(path.join(tmpdir(), "host-app-"));
  mkdirSync(path.join(appDir, "dist"));
  symlinkSync(path.join(ROOT, "node_modules"), path.join(appDir, "node_modules"));
  const write = (name: string, text: string) => writeFileSync(path.join(appDir, name), text);
  write("package.json", JSON.stringify({ type, main: "dist/*.js" }));
  write("host.json", JSON.stringify({ version: "2.0", ...hostJson }));
  if (localSettings !== undefined) write("local.settings.json", JSON.stringify(localSettings));
  for (const [name, text] of Object.entries(files)) write(path.join("dist", name), text);
  return appDir;
}

export function removeApp(appDir: string): void {
  rmSync(appDir, { recursive: true, force: true });
}

/** A host in a process of its own, followed by its events. */
export class HostProcess {
  readonly events: HostEvent[] = [];
  readonly child: ChildProcess;
  stderr = "";
  #watchers = new Set<() => void>();

  constructor(appDir: string, env: Record<string, string> = {}, flags: readonly string[] = []) {
    const all = [programPath("host"), "--app", appDir, "--port", "0", "--events", "--with-parent", ...flags];
    this.child = spawn(process.execPath, all, { cwd: ROOT, env: { ...process.env, ...env }, stdio: "pipe" });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    if (this.child.stdout === null) throw new Error("no stdout");
    createInterface(this.child.stdout).on("line", (line) => {
      this.events.push(JSON.parse(line) as HostEvent);
      this.#wake();
    });
    this.child.once("close", () => this.#wake());
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** The first event of a kind that fits, past or to come. Fails when the process ends without it. */
  async event<Kind extends HostEvent["event"]>(
    kind: Kind,
    fits: (event: EventOf<Kind>) => boolean = () => true,
  ): Promise<EventOf<Kind>> {
    return (await this.someEvents(kind, 1, fits))[0] as EventOf<Kind>;
  }

  /** The first `count` events of a kind that fit. */
  async someEvents<Kind extends HostEvent["event"]>(
    kind: Kind,
    count: number,
    fits: (event: EventOf<Kind>) => boolean = () => true,
  ): Promise<EventOf<Kind>[]> {
    for (;;) {
      const found = this.events.filter((event): event is EventOf<Kind> => event.event === kind && fits(event as never));
      if (found.length >= count) return found.slice(0, count);
      if (this.child.exitCode !== null) throw new Error(`the host ended without ${count} '${kind}': ${this.stderr}`);
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  /** What a function logged by itself, in order. */
  logsOf(functionName: string): string[] {
    const isItsOwn = (event: HostEvent) =>
      event.event === "log" && event.category === "user" && event.function === functionName;
    return this.events.filter(isItsOwn).map((event) => (event as EventOf<"log">).message);
  }

  /** Runs a function through /admin and waits for its end. */
  async runManually(name: string, input: unknown = ""): Promise<EventOf<"invocation">> {
    const { url } = await this.event("ready");
    const before = this.events.filter((event) => event.event === "invocation" && event.function === name).length;
    const answer = await fetch(`${url}/admin/functions/${name}`, { method: "POST", body: JSON.stringify({ input }) });
    if (answer.status !== 202) throw new Error(`the manual run was answered with ${answer.status}`);
    const ends = await this.someEvents("invocation", before + 1, (event) => event.function === name);
    return ends.at(-1) as EventOf<"invocation">;
  }

  /** Waits for the process to end; its exit code. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return this.child.exitCode;
  }

  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return await this.ended();
  }
}
