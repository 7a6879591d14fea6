import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connected } from "../worlds/mcp.js";
import { type Product, startProduct } from "../worlds/product.js";

const soon = { timeout: 150_000, interval: 50 };

/** The built app in a real host process, as assistants meet it. */
let product: Product;
let id: string;
beforeAll(async () => {
  product = await startProduct({ mailboxes: 3, calendars: 7 });
  [id = ""] = product.graph.mailboxes.ids();
  await product.add();
  await product.countedTick();
  await vi.waitFor(async () => expect(await product.different()).toEqual([]), soon);
});
afterAll(() => product?.stop());

const url = () => `${product.hostUrl()}/api/mcp`;

describe.each([
  ["of July 2026", "auto", "2026-07-28"],
  ["of 2025", "legacy", "2025-11-25"],
] as const)("the official client %s", (_when, mode, version) => {
  test("agrees on its version, lists the tools, and each answers as its schema says", async () => {
    const { call, tools, client, ...agreed } = await connected(url(), mode);
    expect(agreed.version).toBe(version);
    const args: Record<string, Record<string, unknown>> = {
      find_calendars: { default: true, top: 2 },
      list_mailbox_calendars: { mailbox: id },
      list_changes: { mailbox: id },
      explain_mailbox: { mailbox: id },
    };
    for (const { name } of tools) {
      const { isError, content } = await call(name, args[name]);
      expect({ name, isError, content }).toEqual({
        name,
        isError: false,
        content: expect.objectContaining({ age: expect.anything() }),
      });
    }
    await client.close();
  });

  test("is told what Graph has, and what changed", async () => {
    const { call, client } = await connected(url(), mode);
    const [calendar] = product.graph.truth(id).filter(({ isRemovable }) => isRemovable);
    const name = `Renamed for a client ${version}`;
    product.graph.renameCalendar(id, calendar?.id ?? "", name);
    await product.tick();
    const found = async () => (await call("find_calendars", { name })).content["calendars"];
    await vi.waitFor(async () => expect(await found()).toMatchObject([{ mailbox: { id }, calendar: { name } }]), soon);
    const { content } = await call("list_changes", { kind: "updated", mailbox: id, top: 1 });
    expect(content["changes"]).toMatchObject([
      { changed: [{ property: "name", before: calendar?.name, after: name }] },
    ]);
    await client.close();
  });
});

test("what README has to paste leads there, with the key in its header", async () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
  type Config = Record<string, Record<string, { url: string; headers: Record<string, string> }>>;
  const blocks = [...readme.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  const configs = blocks.filter((text) => text.includes("/api/mcp")).map((text) => JSON.parse(text) as Config);
  expect(configs).toHaveLength(2);
  for (const { servers, mcpServers } of configs) {
    const { url: pasted, headers } = (servers ?? mcpServers)?.["calendar-mirror"] ?? { url: "", headers: {} };
    expect(Object.keys(headers)).toEqual(["x-functions-key"]);
    const { client, tools } = await connected(
      `${product.hostUrl()}${new URL(pasted.replace("<app>", "app")).pathname}`,
      "auto",
    );
    expect(tools).toHaveLength(6);
    await client.close();
  }
});

test("long answers come compressed to those who accept that", async () => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const ask = (coding: string) =>
    fetch(url(), { method: "POST", body, headers: { ...headers, "accept-encoding": coding } });
  const [plain, small] = [await ask("identity"), await ask("gzip")];
  expect([plain, small].map((reply) => reply.headers.get("content-encoding"))).toEqual([null, "gzip"]);
  expect(await small.text()).toBe(await plain.text());
});

test("what is no message by POST is refused by us, and not by the host without a word", async () => {
  for (const method of ["GET", "DELETE", "PUT"]) {
    const response = await fetch(url(), { method });
    expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, "POST"]);
  }
  const page = await fetch(url(), { method: "POST", body: "{}", headers: { origin: "https://evil.example" } });
  expect([page.status, await page.json()]).toMatchObject([403, { jsonrpc: "2.0", error: { code: -32600 } }]);
});
