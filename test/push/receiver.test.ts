import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Notification, Recipient } from "../../shared/push/notification.js";
import { lifecycleRequestOf, type PushRequest, requestsOf } from "../../shared/push/requests.js";
import { shownSecret } from "../../shared/push/signature.js";
import { askPermission, validate } from "../../shared/push/validate.js";
import { mailboxId, recipient, sender, subscriber, trialSender } from "../worlds/subscriber.js";

/** The receiver of `examples/`, a process, against what is really sent. */

const now = { ...sender, nowMs: Date.now };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "receiver-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "notifications.db");
}

/** Starts the receiver on a free port. `untilSaid` waits for so many lines about notifications. */
async function receiver(file: string, env: Record<string, string> = {}) {
  const script = join(import.meta.dirname, "../../examples/receive-notifications.mjs");
  const child = spawn(process.execPath, [script, file, "0"], {
    env: { ...process.env, WEBHOOK_SECRET: shownSecret(recipient().secret), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  const errors: string[] = [];
  child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
  const said: string[] = [];
  let port = "";
  const lines = createInterface(child.stdout).on("line", (line) => {
    if (line.startsWith("listening on ")) port = line.slice(13);
    else said.push(line);
  });
  const until = async (isSo: () => boolean) => {
    const over = ended.then(() => Promise.reject(new Error(errors.join(""))));
    over.catch(() => undefined); // It ends at the latest with its test.
    while (!isSo()) await Promise.race([once(lines, "line"), over]);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  await until(() => port !== "");
  const untilSaid = async (count: number) => {
    await until(() => said.length >= count);
    return said;
  };
  return { url: `http://localhost:${port}/notifications?code=x`, untilSaid, kill, ended, errors };
}

function notification(index: number, other: Partial<Notification> = {}): Notification {
  const subject = { kind: "calendar", mailboxId, calendarId: `calendar${index}` } as const;
  return { id: `0-${index}`, changeType: "created", subject, atMs: Date.now(), ...other };
}

const line = (index: number) => `created users/${mailboxId}/calendars/calendar${index}`;

async function sending(url: string, other: Partial<Recipient> = {}) {
  const { send } = await trialSender();
  const to = recipient({ notificationUrl: url, lifecycleNotificationUrl: url, ...other });
  const tell = async (...indexes: number[]) => {
    const kinds: string[] = [];
    for (const request of requestsOf(
      to,
      indexes.map((index) => notification(index)),
      now,
    ))
      kinds.push((await send(request)).kind);
    return kinds;
  };
  return { send, to, tell };
}

describe("examples/receive-notifications.mjs", () => {
  test("answers both handshakes, also before it has a secret", async () => {
    const { url } = await receiver(folder(), { WEBHOOK_SECRET: "" });
    const { send, tell } = await sending(url);
    expect(await validate(url, send, "a token & <b>")).toEqual({ kind: "given" });
    expect(await askPermission(url, send, "mirror.contoso.com")).toEqual({ kind: "given" });
    expect(await tell(1)).toEqual(["refused"]); // It comes again.
  });

  test.each(["graph", "cloudEvents", "cloudEventsBatch"] as const)(
    "%s: verifies, and handles each once, in its order",
    async (format) => {
      const { url, untilSaid } = await receiver(folder());
      const { tell } = await sending(url, { format });
      for (const indexes of [[1, 2], [1, 2], [2, 3], [4]])
        expect(new Set(await tell(...indexes))).toEqual(new Set(["accepted"]));
      expect(await untilSaid(4)).toEqual([line(1), line(2), line(3), line(4)]);
    },
  );

  test("ids of two subscriptions are different notifications", async () => {
    const { url, untilSaid } = await receiver(folder());
    const { tell } = await sending(url);
    const other = await sending(url, { subscriptionId: "5b5b0000-0000-4000-8000-0000000000c2" });
    await tell(1);
    await other.tell(1);
    expect(await untilSaid(2)).toEqual([line(1), line(1)]);
  });

  test("what is not the mirror's is refused, and not written down", async () => {
    const file = folder();
    const { url } = await receiver(file);
    const { send, to } = await sending(url);
    const { tell: forge } = await sending(url, { secret: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" });
    expect(await forge(1)).toEqual(["refused"]);
    const [real] = requestsOf(to, [notification(1)], now);
    const altered = (request: PushRequest | undefined) => ({
      url,
      headers: request?.headers ?? {},
      body: `${request?.body} `,
    });
    expect((await send(altered(real))).kind).toBe("refused");
    const [old] = requestsOf(to, [notification(1)], { ...now, nowMs: () => Date.now() - 600_000 });
    expect((await send({ url, headers: old?.headers ?? {}, body: old?.body ?? "" })).kind).toBe("refused");
    expect((await send({ url, headers: {}, body: "x".repeat(2_000_000) })).kind).not.toBe("accepted");
    const rows = new DatabaseSync(file).prepare("SELECT count(*) AS n FROM notification").get();
    expect(rows).toEqual({ n: 0 });
  });

  test("killed, it knows what it has had, and goes on with what it had not handled", async () => {
    const file = folder();
    const first = await receiver(file);
    await (await sending(first.url)).tell(1, 2);
    await first.untilSaid(2);
    await first.kill();
    const db = new DatabaseSync(file);
    db.exec("UPDATE handled SET place = 1"); // As if it had been killed before it was done with the second.
    db.close();
    const second = await receiver(file);
    await (await sending(second.url)).tell(1, 2, 3);
    expect(await second.untilSaid(2)).toEqual([line(2), line(3)]);
  });

  test("renews its subscription when asked to; where that fails, again at the next start", async () => {
    const statuses = [503, 200];
    const mirror = await subscriber((response) => response.writeHead(statuses.shift() ?? 500).end("{}"), { tls: null });
    const env = { MIRROR_URL: `http://127.0.0.1:${mirror.port}/api`, MIRROR_KEY: "key" };
    const file = folder();
    const first = await receiver(file, env);
    const { send, to } = await sending(first.url);
    const asked = { id: "renew-1", lifecycleEvent: "reauthorizationRequired", atMs: Date.now() } as const;
    const request = lifecycleRequestOf(to, asked, now);
    expect(request === null ? null : (await send(request)).kind).toBe("accepted");
    await first.ended;
    expect(first.errors.join("")).toContain("The subscription could not be renewed: 503.");
    const second = await receiver(file, env);
    await (await sending(second.url)).tell(1);
    expect(await second.untilSaid(2)).toEqual([`reauthorizationRequired ${to.subscriptionId}`, line(1)]);
    expect(mirror.asked.map(({ method, path, headers }) => [method, path, headers["x-functions-key"]])).toEqual(
      Array.from({ length: 2 }, () => ["PATCH", `/api/beta/subscriptions/${to.subscriptionId}`, "key"]),
    );
    expect(JSON.parse(mirror.asked[1]?.body ?? "")).toEqual({
      expirationDateTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });
});
