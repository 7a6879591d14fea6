import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../../local/root.js";
import { type App, startApp } from "./app.js";
import { clientsFolder, isInstalled, notRun, run, runPowerShell } from "./programs.js";
import { secretName } from "./subscriptions.js";

/** What docs/clients.md shows is run as it stands there; only host, mailbox and client id are filled in. */
type Snippet = { readonly language: string; readonly name: string; readonly text: string };

const page = await readFile(join(root, "docs", "clients.md"), "utf8");
const snippets: readonly Snippet[] = [...page.matchAll(/^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", name = "", text = ""]) => ({ language, name, text }),
);
const of = (language: string) => snippets.filter((snippet) => snippet.language === language);

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const filled = (text: string) =>
  text
    .replaceAll("https://<app>.azurewebsites.net", app.origin)
    .replaceAll("<app>.azurewebsites.net", app.host)
    .replaceAll("https://<receiver>/notifications", app.receiverUrl)
    .replaceAll("<mailbox id>", app.mailbox)
    .replaceAll("<client id>", "mirror");
const environment = () => ({ ...app.environment, MIRROR_KEY: app.key, TOKEN: app.token });

/** A snippet about nudges gives texts of messages, one that subscribes an id and a secret, all others give ids of calendars. */
async function expectRead(name: string, read: () => Promise<readonly string[]>): Promise<void> {
  if (name.includes("queue")) {
    await app.change();
    const nudges = (await read()).map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(nudges).toContainEqual({ mailbox: app.mailbox, sequence: expect.any(Number) });
  } else if (name.includes("subscribe")) {
    const [id = "", secret] = await read();
    expect(secret).toMatch(/^whsec_/);
    const headers = { "x-functions-key": app.key };
    expect((await fetch(`${app.base}/subscriptions/${id}`, { method: "DELETE", headers })).status).toBe(204);
  } else {
    expect([...(await read())].sort()).toEqual(app.truth().map(({ id }) => id));
  }
}

/** What is printed of what a snippet leaves behind. */
function shownBy(name: string, subscription: string, calendars: string): string {
  if (name.includes("queue")) return "nudges";
  return name.includes("subscribe") ? subscription : calendars;
}

/** What a program has printed, one JSON array. */
function textsIn({ code, stdout, output }: Awaited<ReturnType<typeof run>>): readonly string[] {
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout) as readonly string[];
}

test("every snippet is of a language that is run here", () => {
  const known = ["js", "csharp", "powershell", "bash", "python"];
  expect(snippets.filter(({ language }) => !known.includes(language))).toEqual([]);
  for (const language of known) expect(of(language).length).toBeGreaterThan(0);
});

test("without a key and without a token nobody is let in", async () => {
  expect((await fetch(`${app.base}/users/${app.mailbox}/calendars`)).status).toBe(401);
  expect((await fetch(`${app.base}/me/calendars`)).status).toBe(401);
});

describe("JavaScript", () => {
  const credential = `const credential = {
    getToken: async () => ({ token: process.env.TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };\n`;
  test.for(of("js"))("$name", async ({ name, text }) => {
    const shown = shownBy(name, "[subscription.id, secret]", "calendars.map(({ id }) => id)");
    const program = `${credential}${filled(text)}console.log(JSON.stringify(${shown}));\n`;
    await expectRead(name, async () =>
      textsIn(await run(process.execPath, ["--input-type=module"], environment(), { input: program })),
    );
  });
});

if (isInstalled("dotnet")) {
  describe(".NET", { timeout: 300_000 }, () => {
    const usings = ["Azure.Core", "Azure.Storage.Queues", "Microsoft.Graph", "Microsoft.Graph.Models"]
      .concat(["Microsoft.Kiota.Abstractions.Authentication", "Microsoft.Kiota.Authentication.Azure"])
      .map((name) => `using ${name};\n`)
      .join("");
    const credential = `internal sealed class Given : TokenCredential
      {
          public override AccessToken GetToken(TokenRequestContext context, CancellationToken cancellation) =>
              new(Environment.GetEnvironmentVariable("TOKEN")!, DateTimeOffset.UtcNow.AddHours(1));
          public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext context, CancellationToken cancellation) =>
              new(GetToken(context, cancellation));
      }\n`;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "snippets-"));
    });
    afterAll(() => rm(folder, { recursive: true }));

    test.for(of("csharp"))("$name", async ({ name, text }) => {
      const shown = shownBy(name, "new[] { subscription.Id, secret }", "calendars.Select(calendar => calendar.Id)");
      const given = text.includes("credential") ? "var credential = new Given();\n" : "";
      const print = `Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(${shown}));\n`;
      const file = join(folder, `${name}.cs`);
      await writeFile(file, `${usings}${given}${filled(text)}${print}${credential}`);
      const project = join(clientsFolder, "dotnet", "snippets");
      const args = ["run", "--project", project, "--verbosity", "quiet", `--property:SnippetsFile=${file}`];
      await expectRead(name, async () => textsIn(await run("dotnet", args, environment())));
    });
  });

  test.for(of("powershell"))("PowerShell: $name", { timeout: 300_000 }, async ({ name, text }) => {
    const azure = `function Get-AzAccessToken($ResourceUrl, [switch] $AsSecureString) {
      @{ Token = ConvertTo-SecureString $env:TOKEN -AsPlainText -Force }
    }\n`;
    const program = `${azure}${filled(text)}ConvertTo-Json -Compress @($calendars.id)`;
    await expectRead(name, async () => textsIn(await runPowerShell(["-Command", program], environment())));
  });
} else {
  notRun("the snippets for .NET and PowerShell", "dotnet");
}

if (isInstalled("curl")) {
  test.for(of("bash"))("curl: $name", async ({ name, text }) => {
    const program = `set -eu\naz() { echo "$TOKEN"; }\n${filled(text)}`;
    await expectRead(name, async () => {
      const { code, stdout, output } = await run("bash", ["-c", program], environment());
      if (code !== 0) throw new Error(output);
      const answer = JSON.parse(stdout) as { id: string; value: readonly { id: string }[]; [secretName]: string };
      return name.includes("subscribe") ? [answer.id, answer[secretName]] : answer.value.map(({ id }) => id);
    });
  });
} else {
  notRun("the snippets for curl", "curl");
}

// Not every machine has this library; Debian has it as python3-azure-storage.
const python = ["/usr/bin/python3", "python3"].find((command) =>
  isInstalled(command, ["-c", "import azure.storage.queue"]),
);
if (python !== undefined) {
  test.for(of("python"))("Python: $name", async ({ name, text }) => {
    const program = `import json, os\n${filled(text)}print(json.dumps(nudges))\n`;
    await expectRead(name, async () => textsIn(await run(python, ["-"], environment(), { input: program })));
  });
} else {
  notRun("the snippets for Python", "azure-storage-queue for Python");
}
