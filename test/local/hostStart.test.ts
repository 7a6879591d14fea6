import { afterEach, expect, test } from "vitest";
import { startHost } from "../../local/host/host.js";
import { type AppOptions, HostProcess, removeApp, writeApp } from "../worlds/hostApp.js";

const running: HostProcess[] = [];
const written: string[] = [];

function launch(app: AppOptions, env: Record<string, string> = {}, flags: readonly string[] = []): HostProcess {
  written.push(writeApp(app));
  const host = new HostProcess(written.at(-1) ?? "", env, flags);
  running.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.stop()));
  for (const appDir of written.splice(0)) removeApp(appDir);
});

const NEVER = `schedule: "0 0 0 1 1 *"`;
const TIMER = `import { app } from "@azure/functions"; app.timer("tick", { ${NEVER}, handler: () => undefined });`;

test.concurrent.each([
  [
    "a file that throws",
    { "a.js": TIMER, "b.js": 'throw new Error("boom");' },
    /^The app cannot start: dist\/b\.js .*boom \(.*b\.js:1:\d+\)$/,
  ],
  [
    "a file that throws several lines",
    { "a.js": TIMER, "b.js": String.raw`throw new Error("wrong:\n  - A\n  - B");` },
    /^The app cannot start: dist\/b\.js .*wrong: - A - B \(.*b\.js:1:\d+\)$/,
  ],
  ["an app that registers nothing", { "a.js": "export {};" }, /^The app cannot start: the app registers no functions/],
  ["a `main` that matches no file", { "a.txt": "" }, /^The app cannot start: no file matches "main".*dist\/\*\.js/],
  ["one name for two functions", { "a.js": TIMER, "b.js": `${TIMER}//` }, /"tick" has already been registered/],
  [
    "a schedule of four fields alone",
    { "a.js": TIMER.replace("0 0 0 1 1 *", "0 0 1 1") },
    /no function can run; 'tick': .*has 4 fields/,
  ],
])("%s ends with one line and a failure", async (_title, files, line) => {
  const appDir = writeApp({ files: files as Record<string, string> });
  try {
    const host = new HostProcess(appDir, {}, ["--log-level", "none"]);
    expect(await host.ended()).toBe(1);
    expect(host.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
  } finally {
    removeApp(appDir);
  }
});

test("files load in order, hooks run around an invocation, and registration ends with the start", async () => {
  const hooks = `
    import { app } from "@azure/functions";
    app.hook.appStart(() => console.log("appStart"));
    app.hook.preInvocation((context) => { context.inputs = ["from the hook"]; });
    app.hook.postInvocation((context) => { context.invocationContext.log("after", context.result); });
    app.hook.log((context) => { context.message = "hooked: " + context.message; });`;
  const timer = `
    import { app } from "@azure/functions";
    const late = () => { try { app.timer("late", { ${NEVER}, handler: late }); } catch (error) { return error.message; } };
    app.timer("tick", { ${NEVER}, handler: (input, context) => { context.log(input); return late(); } });`;
  const host = launch({ files: { "a.js": hooks, "b.js": timer } });
  expect(await host.runManually("tick")).toMatchObject({ outcome: "succeeded" });
  expect(host.logsOf("tick")).toEqual([
    "hooked: from the hook",
    'hooked: after A function can only be registered during app startup: "late".',
  ]);
  expect(host.stderr).toContain("appStart");
});

test("a timer runs at start-up when asked to, by its schedule, and by hand, and gets the schedule's status", async () => {
  const timers = `
    import { app } from "@azure/functions";
    const handler = (timer, context) => context.log(JSON.stringify(timer));
    app.timer("often", { schedule: "%OFTEN%", handler });
    app.timer("atStart", { ${NEVER}, runOnStartup: true, handler });`;
  const host = launch({ files: { "a.js": timers } }, { OFTEN: "* * * * * *" });
  await host.event("invocation", (event) => event.function === "atStart" && event.cause === "timer");
  await host.event("invocation", (event) => event.function === "often" && event.cause === "timer");
  await host.runManually("atStart");
  const often = JSON.parse(host.logsOf("often")[0] ?? "") as object;
  expect(often).toEqual({ schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false });
  const yearly = JSON.parse(host.logsOf("atStart")[1] ?? "") as { scheduleStatus: Record<string, string> };
  expect(yearly.scheduleStatus).toEqual({
    last: expect.stringMatching(/^20.*[+-]\d\d:\d\d$/),
    lastUpdated: expect.stringMatching(/^20/),
    next: expect.stringMatching(/-01-01T00:00:00/),
  });
});

test("SIGTERM lets a running function end, runs the appTerminate hooks, and exits with 0", async () => {
  const slow = `
    import { app } from "@azure/functions";
    import { once } from "node:events";
    import { setTimeout } from "node:timers/promises";
    app.hook.appTerminate(() => console.error("terminated"));
    app.timer("slow", { ${NEVER}, runOnStartup: true, handler: async (_, context) => {
      context.log("begun");
      await once(process, "SIGTERM");
      await setTimeout(50); // Work that is still to be done.
      context.log("finished");
    } });`;
  const host = launch({ files: { "a.js": slow } });
  await host.event("log", (event) => event.message === "begun");
  expect(await host.stop()).toBe(0);
  expect(host.logsOf("slow")).toEqual(["begun", "finished"]);
  expect(host.stderr.trim().split("\n").at(-1)).toBe("terminated");
});

test("with --with-parent the host ends when its parent's pipe closes", async () => {
  const host = launch({ files: { "a.js": TIMER } });
  await host.event("ready");
  host.child.stdin?.end();
  expect(await host.ended()).toBe(0);
});

test("a function that runs into functionTimeout takes the process with it", async () => {
  const stuck = TIMER.replace("() => undefined", "() => new Promise(() => undefined), runOnStartup: true");
  const host = launch({ files: { "a.js": stuck }, hostJson: { functionTimeout: "00:00:01" } });
  expect(await host.ended()).toBe(3);
  expect(host.stderr).toContain("Timeout value of 1 s exceeded by function 'tick'");
});

test("in-process: a CommonJS app runs, and a second host in one process is refused", async () => {
  const commonJs = `
    const { app } = require("@azure/functions");
    app.timer("tick", { ${NEVER}, handler: () => { if (process.env.FAILS) throw new Error("told to"); } });
    app.get("hello", () => ({ body: process.env.GREETING }));`;
  const appDir = writeApp({ files: { "a.js": commonJs }, type: "commonjs" });
  written.push(appDir);
  const host = await startHost({ appDir, port: 0, env: { GREETING: "good day" }, writeLine: () => undefined });
  try {
    expect(await (await fetch(`${host.url}/api/hello`)).text()).toBe("good day");
    expect(await host.invoke("tick")).toEqual({ ok: true });
    process.env["FAILS"] = "yes";
    expect(await host.invoke("tick")).toEqual({ ok: false, error: "told to" });
    await expect(startHost({ appDir, port: 0, writeLine: () => undefined })).rejects.toThrow(/process of its own/);
  } finally {
    delete process.env["FAILS"];
    await host.stop();
  }
});
