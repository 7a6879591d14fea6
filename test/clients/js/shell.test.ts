import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, type Item, startApp } from "./app.js";
import { expectAllChecks, isInstalled, notRun, run, runPowerShell } from "./programs.js";
import { refusalsOf } from "./refusals.js";

/** curl, and PowerShell as the tool that NuGet has of it. */
let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const curl = async (...args: string[]) => {
  const key = ["--header", `x-functions-key: ${app.key}`];
  const { code, stdout, output } = await run("curl", ["--silent", "--show-error", ...key, ...args], app.environment);
  if (code !== 0) throw new Error(output);
  return stdout;
};
const calendars = () => `${app.base}/users/${app.mailbox}/calendars`;

if (isInstalled("curl")) {
  describe("curl", () => {
    test("reads a list with options that it encodes", async () => {
      const options = ["$select=name", "$filter=canEdit eq true", "$orderby=name desc", "$count=true"];
      const encoded = options.flatMap((option) => ["--data-urlencode", option]);
      const page = JSON.parse(await curl("--get", ...encoded, calendars())) as Record<string, unknown>;
      const names = app.truth().flatMap(({ canEdit, name }) => (canEdit === true ? [String(name)] : []));
      expect(page["@odata.count"]).toBe(names.length);
      expect((page["value"] as readonly Item[]).map(({ name }) => name)).toEqual(names.sort().reverse());
    });

    test("walks the delta to its deltaLink and on", async () => {
      const walk = async (from: string) => {
        const ids: string[] = [];
        for (let link = from; ; ) {
          const page = JSON.parse(await curl("--header", "Prefer: odata.maxpagesize=3", link)) as Record<
            string,
            unknown
          >;
          ids.push(...(page["value"] as readonly Item[]).map(({ id }) => id));
          if (page["@odata.nextLink"] === undefined) return { ids, deltaLink: String(page["@odata.deltaLink"]) };
          link = String(page["@odata.nextLink"]);
        }
      };
      const { ids, deltaLink } = await walk(`${calendars()}/delta`);
      expect(ids.sort()).toEqual(app.truth().map(({ id }) => id));
      const { created, renamed, removed } = await app.change();
      expect((await walk(deltaLink)).ids.sort()).toEqual([created, renamed, removed].sort());
    });

    test("is told of each refusal by status, code and message", async () => {
      const seen: unknown[] = [];
      for (const { what, method, path, status, message } of refusalsOf(app)) {
        const url = path.startsWith("https:") ? path : `${app.base}${path}`;
        const answer = await curl("--globoff", "--request", method, "--write-out", "\n%{http_code}", url);
        const [body = "", code] = answer.split("\n");
        const { error } = JSON.parse(body || "{}") as { error?: { code?: string; message?: string } };
        const isRead = /^\w[\w-]+$/.test(error?.code ?? "") && message.test(error?.message ?? "");
        if (Number(code) !== status || !isRead) seen.push([what, code, body]);
      }
      expect(seen).toEqual([]);
    });

    test("asks for heads alone: --head", async () => {
      const [status = "", ...lines] = (await curl("--head", calendars())).split("\r\n");
      expect(status).toMatch(/^HTTP\/[\d.]+ 200/);
      expect(lines.some((line) => /^etag: /i.test(line))).toBe(true);
      expect(await curl("--head", `${app.origin}/api/health`)).toMatch(/^HTTP\/[\d.]+ 200/);
    });
  });
} else {
  notRun("curl", "curl");
}

if (isInstalled("dotnet")) {
  test("PowerShell: everything is as it should be", { timeout: 300_000 }, async () => {
    const args = ["-File", "read.ps1", app.base, app.mailbox, app.key];
    expectAllChecks(await runPowerShell(args, app.environment));
  });
} else {
  notRun("PowerShell", "dotnet");
}
