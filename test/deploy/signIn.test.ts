import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/** The script that registers an application for sign-in, with an `az` in its way that writes down how it was called. */

const script = join(import.meta.dirname, "..", "..", "infra", "register-sign-in.sh");
const clientId = "11111111-2222-3333-4444-555555555555";
const other = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

const az = `#!/usr/bin/env node
const { appendFileSync } = require("node:fs");
const given = process.argv.slice(2);
appendFileSync(process.env.AZ_LOG, JSON.stringify(given) + "\\n");
if (given[0] === "cloud") console.log("https://graph.microsoft.us/");
if (given.includes("get")) console.log(process.env.AZ_CLIENT_ID);
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "calendar-mirror-sign-in-"));
  writeFileSync(join(folder, "az"), az);
  chmodSync(join(folder, "az"), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function register(args: readonly string[], registered = clientId, appUrl = "") {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const env = {
    ...process.env,
    PATH: `${folder}${delimiter}${process.env["PATH"]}`,
    AZ_LOG: log,
    AZ_CLIENT_ID: registered,
    MIRROR_APP_URL: appUrl,
  };
  return new Promise<{ code: number; said: string; patches: { url: string; body: unknown; isUpsert: boolean }[] }>(
    (resolve) => {
      execFile("bash", [script, ...args], { env }, (error, stdout, stderr) => {
        const calls = readFileSync(log, "utf8").trim().split("\n").filter(Boolean);
        const patches = calls
          .map((line) => JSON.parse(line) as string[])
          .filter((call) => call.includes("patch"))
          .map((call) => ({
            url: call[call.indexOf("--url") + 1] ?? "",
            body: JSON.parse(call[call.indexOf("--body") + 1] ?? "") as unknown,
            isUpsert: call.includes("Prefer=create-if-missing"),
          }));
        resolve({ code: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr, patches });
      });
    },
  );
}

describe("registering for sign-in", () => {
  test("makes one application of this tenant, without a secret, whose tokens have the issuer and audience that infra/ names", async () => {
    const { code, said, patches } = await register(["calendar-mirror-prod", other]);
    expect({ code, said }).toEqual({ code: 0, said: `${clientId}\n` });
    const application = "https://graph.microsoft.us/v1.0/applications(uniqueName='calendar-mirror-prod')";
    expect(patches.map(({ url, isUpsert }) => [url, isUpsert])).toEqual([
      [application, true],
      [application, false],
      [application, false],
      [`https://graph.microsoft.us/v1.0/servicePrincipals(appId='${clientId}')`, true],
    ]);
    expect(patches[0]?.body).toMatchObject({ signInAudience: "AzureADMyOrg" });
    expect(patches[1]?.body).toMatchObject({
      identifierUris: [`api://${clientId}`],
      api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [{ value: "Calendars.Read", type: "User" }] },
    });
    expect(patches[2]?.body).toMatchObject({ api: { preAuthorizedApplications: [{ appId: other }] } });
    expect(JSON.stringify(patches)).not.toMatch(/password|secret|keyCredential|redirectUris/i);
    const bicep = readFileSync(join(import.meta.dirname, "..", "..", "infra", "app.bicep"), "utf8");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: It is Bicep's.
    expect(bicep).toContain("${tenant().tenantId}/v2.0'");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: It is Bicep's.
    expect(bicep).toContain("[authClientId, 'api://${authClientId}']");
  });

  test("lets browsers sign in where the app's address is known, and sends people back to that alone", async () => {
    const { code, patches } = await register(["calendar-mirror"], clientId, "https://mirror.azurewebsites.net");
    expect(code).toBe(0);
    expect(patches[1]?.body).toMatchObject({
      web: {
        redirectUris: ["https://mirror.azurewebsites.net/.auth/login/aad/callback"],
        implicitGrantSettings: { enableIdTokenIssuance: true },
      },
    });
    const other = await register(["calendar-mirror"], clientId, 'http://elsewhere.example","https://evil.example');
    expect(other).toMatchObject({ code: 2, patches: [] });
  });

  test("is the same registration when it is repeated", async () => {
    const first = await register(["calendar-mirror-prod"]);
    const second = await register(["calendar-mirror-prod"]);
    expect(second).toEqual(first);
    expect(first.patches).toHaveLength(3);
  });

  test.each([
    ["no name", [], "usage:"],
    ["a name that would be more than a name", ["x'),y=('"], "usage:"],
    ["a client that is no client id", ["calendar-mirror", 'x","delegated'], "is no client id"],
  ])("%s is refused in one line, and nothing is made", async (_, args, message) => {
    const { code, said, patches } = await register(args);
    expect({ code, patches }).toEqual({ code: 2, patches: [] });
    expect(said).toContain(message);
    expect(said.trim().split("\n")).toHaveLength(1);
  });

  test("says so where Graph has made nothing", async () => {
    const { code, said } = await register(["calendar-mirror"], "None");
    expect({ code, said }).toEqual({
      code: 2,
      said: "Microsoft Graph has not registered the application calendar-mirror.\n",
    });
  });
});
