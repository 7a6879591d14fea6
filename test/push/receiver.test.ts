import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../local/start/processes.js";
import type { Notification, Recipient } from "../../shared/push/notification.js";
import { lifecycleRequestOf, type PushRequest, requestsOf } from "../../shared/push/requests.js";
import { shownSecret } from "../../shared/push/signature.js";
import { validate } from "../../shared/push/validate.js";
import { mailboxId, recipient, sender, subscriber, trialSender } from "../worlds/subscriber.js";

/** The receiver of `examples/`, a process, against what is really sent. */

const now = { ...sender, nowMs: Date.now };

const script = join(import.meta.dirname, "../../examples/receive-notifications.mjs");

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "receiver-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "notifications.db");
}

/** A mirror that knows one subscription, by the secret that `recipient` has; `statuses`: what it answers first, in the place of that. */
async function mirrorOf(...statuses: readonly number[]) {
  const { subscriptionId: id, secret } = recipient();
  const left = [...statuses];
  const made = JSON.stringify({ id, "@calendarMirror.signingSecret": shownSecret(secret) });
  const { port, asked } = await subscriber((response) => response.writeHead(left.shift() ?? 200).end(made), {
    tls: null,
  });
  const said = () => asked.map(({ method, path, headers }) => [method, path, headers["x-functions-key"]]);
  return { api: `http://127.0.0.1:${port}/api`, asked, said };
}

type Mirror = Awaited<ReturnType<typeof mirrorOf>>;
const created = ["POST", "/api/beta/subscriptions", "key"];
const renewed = ["PATCH", `/api/beta/subscriptions/${recipient().subscriptionId}`, "key"];

/** Starts the receiver, and waits until it has subscribed. `untilSaid` waits for so many lines about notifications. */
async function receiver(file: string, mirror: Mirror) {
  const port = await freePort();
  const child = spawn(process.execPath, [script, mirror.api, file, `${port}`], {
    env: { ...process.env, MIRROR_KEY: "key" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  const errors: string[] = [];
  child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
  const said: string[] = [];
  let readAll = 0;
  createInterface(child.stdout).on("line", (line) => {
    if (line.startsWith("read all: ")) readAll += 1;
    else said.push(line);
  });
  const until = async (isSo: () => boolean) => {
    const over = ended.then(() => Promise.reject(new Error(errors.join(""))));
    over.catch(() => undefined); // It ends at the latest with its test.
    while (!isSo()) await Promise.race([over, pause(20)]);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const before = mirror.asked.length;
  await until(() => readAll > 0 || (mirror.asked.length > before && mirror.asked.at(-1)?.method === "PATCH"));
  const untilSaid = async (count: number) => {
    await until(() => said.length >= count);
    return said;
  };
  return { url: `http://localhost:${port}/`, untilSaid, kill, errors, readAll: () => readAll };
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
  test("is read at a glance: 40 lines of code at most", () => {
    const lines = readFileSync(script, "utf8").split("\n");
    expect(lines.filter((text) => !/^\s*(\/\/|\/\*\*|$)/.test(text)).length).toBeLessThanOrEqual(40);
  });

  test("subscribes at its own address, and answers the handshake", async () => {
    const mirror = await mirrorOf();
    const { url } = await receiver(folder(), mirror);
    expect(mirror.said()).toEqual([created]);
    expect(JSON.parse(mirror.asked[0]?.body ?? "")).toEqual({
      resource: "users/getAllCalendars",
      changeType: "created,updated,deleted",
      notificationUrl: url,
      lifecycleNotificationUrl: url,
      expirationDateTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const { send } = await sending(url);
    expect(await validate(url, send, "a token & <b>")).toEqual({ kind: "given" });
  });

  test("verifies, and handles each once, in its order", async () => {
    const { url, untilSaid } = await receiver(folder(), await mirrorOf());
    const { tell } = await sending(url);
    for (const indexes of [[1, 2], [1, 2], [2, 3], [4]])
      expect(new Set(await tell(...indexes))).toEqual(new Set(["accepted"]));
    expect(await untilSaid(4)).toEqual([line(1), line(2), line(3), line(4)]);
  });

  test("ids of two subscriptions are different notifications", async () => {
    const { url, untilSaid } = await receiver(folder(), await mirrorOf());
    const { tell } = await sending(url);
    const other = await sending(url, { subscriptionId: "5b5b0000-0000-4000-8000-0000000000c2" });
    await tell(1);
    await other.tell(1);
    expect(await untilSaid(2)).toEqual([line(1), line(1)]);
  });

  test("what is not the mirror's is refused, and not handled", async () => {
    const file = folder();
    const { url } = await receiver(file, await mirrorOf());
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
    const rows = new DatabaseSync(file).prepare("SELECT count(*) AS n FROM handled").get();
    expect(rows).toEqual({ n: 0 });
  });

  test("killed, it renews its subscription, knows what it has had, and handles anew what it was not done with", async () => {
    const file = folder();
    const mirror = await mirrorOf();
    const first = await receiver(file, mirror);
    await (await sending(first.url)).tell(1, 2);
    await first.untilSaid(2);
    await first.kill();
    const db = new DatabaseSync(file);
    db.exec("DELETE FROM handled WHERE id LIKE '%-2'"); // As if it had been killed before it was done with the second.
    db.close();
    const second = await receiver(file, mirror);
    expect(mirror.said()).toEqual([created, renewed]);
    await (await sending(second.url)).tell(1, 2, 3);
    expect(await second.untilSaid(2)).toEqual([line(2), line(3)]);
  });

  test("a subscription that has ended meanwhile is made anew", async () => {
    const file = folder();
    await (await receiver(file, await mirrorOf())).kill();
    const mirror = await mirrorOf(404);
    const { url, untilSaid } = await receiver(file, mirror);
    await vi.waitFor(() => expect(mirror.said()).toEqual([renewed, created]));
    expect(await (await sending(url)).tell(1)).toEqual(["accepted"]);
    expect(await untilSaid(1)).toEqual([line(1)]);
  });

  test("renews its subscription when asked to; where that fails, it says no, and is asked again", async () => {
    const mirror = await mirrorOf(200, 503);
    const { url, errors } = await receiver(folder(), mirror);
    const { send, to } = await sending(url);
    const asked = { id: "renew-1", lifecycleEvent: "reauthorizationRequired", atMs: Date.now() } as const;
    const ask = async () => {
      const request = lifecycleRequestOf(to, asked, now);
      return request === null ? null : (await send(request)).kind;
    };
    expect([await ask(), await ask(), await ask()]).toEqual(["refused", "accepted", "accepted"]);
    expect(errors.join("")).toContain("503");
    expect(mirror.said()).toEqual([created, renewed, renewed]); // The third one is a repeat.
    const { expirationDateTime } = JSON.parse(mirror.asked[2]?.body ?? "") as { expirationDateTime: string };
    expect(Date.parse(expirationDateTime)).toBeGreaterThan(Date.now() + 86_400_000);
  });

  test("where notifications were missed, it says that all is to be read, once, and goes on with its subscription", async () => {
    const mirror = await mirrorOf();
    const { url, readAll } = await receiver(folder(), mirror);
    const { send, to } = await sending(url);
    const request = lifecycleRequestOf(to, { id: "missed-1", lifecycleEvent: "missed", atMs: Date.now() }, now);
    if (request === null) throw new Error("It has a lifecycle address.");
    expect([(await send(request)).kind, (await send(request)).kind]).toEqual(["accepted", "accepted"]);
    await vi.waitFor(() => expect(readAll()).toBe(2)); // The first one, when it subscribed.
    expect(mirror.said()).toEqual([created, renewed]);
  });
});
