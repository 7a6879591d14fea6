import type { Middleware } from "@microsoft/microsoft-graph-client";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Copy, clientFor, refresh, takeNudges } from "../../examples/follow-mirror.mjs";
import { listening, routesOver } from "../worlds/http.js";
import { type MailboxWorld, mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** The example over our routes, with TLS ended in front of them; every request asks for one row per page. */
async function following(world: MailboxWorld) {
  const { ask } = routesOver(world.store, () => world.clock.ms);
  const seen: string[] = [];
  const server = await listening((url, headers) => {
    seen.push(`${headers["x-functions-key"]} ${new URL(url).pathname}`);
    return ask(url, { ...headers, prefer: "odata.maxpagesize=1", "x-forwarded-proto": "https" });
  });
  opened.push(server.close);
  const toHttp: Middleware = {
    execute: async (context) => {
      const url = String(context.request).replace(/^https:/, "http:");
      context.response = await fetch(url, context.options as RequestInit);
    },
  };
  const client = clientFor(`${server.url.replace(/^http:/, "https:")}/api/`, "key", toHttp);
  const copies = new Map<string, Copy>();
  const names = () => {
    const calendars = [...(copies.get(mailboxId)?.calendars ?? [])];
    return new Map(calendars.map(([id, { name }]) => [id, name]));
  };
  return { client, copies, names, seen };
}

describe("examples/follow-mirror.mjs", () => {
  test("I6: its copy is the mirror's after each nudge", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { client, copies, names, seen } = await following(world);
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(await world.alive());
    await world.page([
      { id: "a", name: null },
      { id: "b", name: "B2" },
      { id: "c", name: "C" },
    ]);
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(await world.alive());
    expect(new Set(seen)).toEqual(new Set([`key /api/beta/users/${mailboxId}/calendars/delta`]));
  });

  test("I6: it starts over when its place has expired, and drops what the new walk does not contain", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { client, copies, names } = await following(world);
    await refresh(client, copies, mailboxId);
    await world.page([{ id: "a", name: null }]);
    await world.retire();
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(new Map([["b", "B"]]));
  });

  test("I6: it starts over when its place is none of this mirror's, as after a move without the key of tokens", async () => {
    const world = await worldWith({ b: "B" });
    const { client, copies, names } = await following(world);
    const deltaLink = `/users/${mailboxId}/calendars/delta?$deltatoken=of-another-mirror`;
    copies.set(mailboxId, { calendars: new Map([["a", { id: "a", name: "A" }]]), deltaLink });
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(new Map([["b", "B"]]));
  });

  test("I6: after 410 it loses no living calendar, though commits fall between the reads of its new walk", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    let commits = 0;
    const commit = async ({ name }: { name: string }) => {
      if (name !== "page" || commits >= 3) return;
      commits += 1;
      await world.page(["b", "c"].map((id) => ({ id, name: `${id}${commits}` })));
    };
    const { client, copies, names } = await following({
      ...world,
      store: storeOn(interfered(world.table, { before: commit })),
    });
    const expired = `/users/${mailboxId}/calendars/delta?$deltatoken=of-another-mirror`;
    copies.set(mailboxId, { calendars: new Map([["z", { id: "z", name: "Z" }]]), deltaLink: expired });
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(await world.alive());
    expect(commits).toBe(3);
  });

  test("a walk that breaks off leaves the copy as it was", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { client, copies, names } = await following(world);
    await refresh(client, copies, mailboxId);
    const before = copies.get(mailboxId);
    await world.page([
      { id: "a", name: "A2" },
      { id: "b", name: "B2" },
    ]);
    let pages = 0;
    const broken = {
      api: (path: string) => (++pages > 1 ? { get: () => Promise.reject(new Error("Cut.")) } : client.api(path)),
    };
    await expect(refresh(broken, copies, mailboxId)).rejects.toThrow("Cut.");
    expect(copies.get(mailboxId)).toBe(before);
    await refresh(client, copies, mailboxId);
    expect(names()).toEqual(await world.alive());
  });

  test("a mailbox that was taken off the roster is dropped", async () => {
    const world = await worldWith({ a: "A" });
    const { client, copies } = await following(world);
    await refresh(client, copies, mailboxId);
    await world.purge();
    await refresh(client, copies, mailboxId);
    expect(copies.size).toBe(0);
  });

  test("I6: a mailbox that has left is dropped by its nudge, and the others stay", async () => {
    const world = await worldWith({ a: "A" });
    const { client, copies } = await following(world);
    await refresh(client, copies, mailboxId);
    copies.set("other", { calendars: new Map(), deltaLink: "/other" });
    const { sequence } = (await world.held()).checkpoint;
    await world.purge();
    const text = JSON.stringify({ mailbox: mailboxId, sequence });
    const message = { messageText: Buffer.from(text).toString("base64"), messageId: "1", popReceipt: "p" };
    const deleted: string[] = [];
    const queue = {
      receiveMessages: async () => ({ receivedMessageItems: [message] }),
      deleteMessage: async (id: string) => void deleted.push(id),
    };
    // As queues do, it comes twice: the second time there is nothing to drop.
    for (let time = 0; time < 2; time++) await takeNudges(queue, client, copies);
    expect([deleted, [...copies.keys()]]).toEqual([["1", "1"], ["other"]]);
  });

  test("a nudge is deleted when its mailbox is current, and stays when it could not be read", async () => {
    const world = await mailboxWorld();
    const { client, copies } = await following(world);
    const messageOf = (mailbox: string) => Buffer.from(JSON.stringify({ mailbox, sequence: 1 })).toString("base64");
    const message = { messageText: messageOf(mailboxId), messageId: "1", popReceipt: "p" };
    const deleted: string[] = [];
    const queue = {
      receiveMessages: async () => ({ receivedMessageItems: [message] }),
      deleteMessage: async (id: string) => void deleted.push(id),
    };
    const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const down = { api: () => ({ get: () => Promise.reject(new Error("Down.")) }) };
    expect(await takeNudges(queue, down, copies)).toBe(1);
    expect([deleted, said.mock.calls]).toEqual([[], [[`${mailboxId} is not current: Down.`]]]);
    said.mockRestore();
    await world.add();
    await world.fullRound({ a: "A" });
    await takeNudges(queue, client, copies);
    expect([deleted, copies.get(mailboxId)?.calendars.size]).toEqual([["1"], 1]);
  });
});
