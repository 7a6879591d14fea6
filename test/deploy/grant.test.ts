import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/** The script that grants Graph permissions, with an `az` in its way that writes down how it was called. */

const script = join(import.meta.dirname, "..", "..", "infra", "grant-graph-permissions.sh");
const identity = "11111111-2222-3333-4444-555555555555";

/** Answers as a tenant in which User.Read.All has been granted. */
const az = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$AZ_LOG"
case "$*" in
  "cloud show"*) echo https://graph.microsoft.us/ ;;
  *"--method post"*) echo new-assignment ;;
  *"--query id"*) echo the-graph ;;
  *"appRoleId"*) echo role-of-users ;;
  *"'Calendars.Read'"*) echo role-of-calendars ;;
  *"'User.Read.All'"*) echo role-of-users ;;
esac
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "calendar-mirror-grant-"));
  writeFileSync(join(folder, "az"), az);
  chmodSync(join(folder, "az"), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function grant(...args: string[]) {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}`, AZ_LOG: log };
  return new Promise<{ code: number; said: string; posts: string[] }>((resolve) => {
    execFile("bash", [script, ...args], { env }, (error, stdout, stderr) => {
      const posts = readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line.includes("--method post"));
      resolve({ code: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr, posts });
    });
  });
}

describe("granting", () => {
  test("what is missing is granted once, in the cloud that az is signed in to", async () => {
    const { code, said, posts } = await grant(identity, "Calendars.Read", "User.Read.All");
    expect({ code, said }).toEqual({
      code: 0,
      said: "Calendars.Read is granted now.\nUser.Read.All is granted already.\n",
    });
    expect(posts).toHaveLength(1);
    expect(posts[0]).toContain(`https://graph.microsoft.us/v1.0/servicePrincipals/${identity}/appRoleAssignments`);
    expect(posts[0]).toContain(
      `{"principalId":"${identity}","resourceId":"the-graph","appRoleId":"role-of-calendars"}`,
    );
  });

  test.each([
    ["no identity", [], "usage:"],
    ["an identity that is no object id", ["calendar-mirror"], "usage:"],
    ["a permission that would be more than a name", [identity, "x'] || ['"], "is no permission"],
    ["a permission that Graph does not have", [identity, "Calendars.Raed"], "has no application permission"],
  ])("%s is refused in one line, and nothing is granted", async (_, args, message) => {
    const { code, said, posts } = await grant(...args);
    expect({ code, posts }).toEqual({ code: 2, posts: [] });
    expect(said).toContain(message);
    expect(said.trim().split("\n")).toHaveLength(1);
  });
});
