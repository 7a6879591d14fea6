import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** A child process that we started. */
export type Child = {
  readonly process: ChildProcess;
  /** Resolves when the child ends unasked, with the reason as its stderr gave it. */
  readonly died: Promise<string>;
  stop(): Promise<void>;
};

const stopMsMax = 35_000;

/** Runs a program in its own process group, so that Ctrl-C on the terminal reaches only us and we end it in order. */
export function run(
  name: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string, stream: "stdout" | "stderr") => void,
): Child {
  // tsx keeps what it compiled in files that processes starting at once may read half written.
  const child = spawn(command, args, {
    env: { ...env, TSX_DISABLE_CACHE: "1" },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let complaint = "";
  let isStopping = false;
  child.stdin.on("error", () => child.stdin.destroy()); // It has ended: `died` says so.
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface(child[stream]).on("line", (line) => {
      // The line of a stack that names the error, else the last line.
      if (stream === "stderr" && line.trim() !== "" && !/Error\b/.test(complaint)) complaint = line.trim();
      onLine(line, stream);
    });
  }
  const ended = once(child, "close").catch((error: Error) => [error.message]);
  const died = ended.then(async ([reason]) => {
    if (isStopping) await new Promise<never>(() => undefined); // We asked for it: nobody died.
    return `${name} ended (${reason}): ${complaint}`;
  });
  return {
    process: child,
    died,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      isStopping = true;
      const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
      child.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Where a program is on the PATH, or null. */
export function onPath(program: string, path: string): string | null {
  return (
    path
      .split(delimiter)
      .map((folder) => join(folder, program))
      .find((file) => existsSync(file)) ?? null
  );
}

/**
 * A port that was free a moment ago, for programs that cannot choose one themselves.
 * @param wanted 0 for any. @throws Error in one line when this one cannot be had.
 */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "is taken" : `cannot be used: ${code}`;
    throw new Error(`Port ${wanted} ${why}. Give --port another one, or leave it out for a free one.`);
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
