import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The folder of all clients. */
export const clientsFolder = join(import.meta.dirname, "..");

/** What a program said, on both streams, and how it ended. */
type Ended = { readonly code: number | null; readonly stdout: string; readonly output: string };

/** Whether a program is on this machine. */
export const isInstalled = (command: string, args: readonly string[] = ["--version"]): boolean =>
  spawnSync(command, args).status === 0;

/** Stands in the place of tests for which a program is missing: they are no failure, and nobody overlooks them. */
export function notRun(what: string, missing: string): void {
  test(`NOT RUN: ${what}: there is no ${missing} here`, () => {
    process.stderr.write(`*** NOT RUN: ${what}, because there is no ${missing} on this machine.\n`);
  });
}

/** Runs a program to its end, in the folder of all clients or below it. `input`: what it reads. */
export async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { input = "", folder = "." } = {},
): Promise<Ended> {
  // Exactly the packages of packages.lock.json.
  const settings = { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1", RestoreLockedMode: "true" };
  const child = spawn(command, args, { cwd: join(clientsFolder, folder), env: { ...env, ...settings } });
  const pieces: string[] = [];
  const outer: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => outer.push(text) && pieces.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, stdout: outer.join(""), output: pieces.join("") };
}

/** Runs PowerShell, the tool of its folder, which it restores. */
export async function runPowerShell(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const folder = "powershell";
  const restored = await run("dotnet", ["tool", "restore"], env, { folder });
  if (restored.code !== 0) return restored;
  return run("dotnet", ["tool", "run", "pwsh", "--", "-NoProfile", "-NonInteractive", ...args], env, { folder });
}

/** For programs that print a line for each check, `ok   …` or `FAIL …`. The lines are shown. */
export function expectAllChecks({ code, output }: Ended): void {
  process.stdout.write(output);
  const failed = output.split("\n").filter((line) => line.startsWith("FAIL"));
  expect({ code, failed, hasChecked: /^ok /m.test(output) }).toEqual({ code: 0, failed: [], hasChecked: true });
}
