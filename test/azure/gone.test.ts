import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { TableClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";
import { queueSenderOf } from "../../shared/azure/queueSender.js";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { forgetTable, keptFeedKey } from "../../shared/store/meta.js";
import { createStore, type Store } from "../../shared/store/store.js";
import { azureTable } from "../../shared/table/azureTable.js";
import { added } from "../worlds/store.js";

/** What stands for table and queue in the memory of a process, when these are taken away under it. */

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite?.stop());

let names = 0;
const newName = (kind: string) => `${kind}${++names}x${process.pid}`;
const storageOf = (connectionString: string) => ({ kind: "connectionString", connectionString }) as const;

describe("I7: a table that is deleted while the mirror runs", () => {
  function mirror() {
    const name = newName("t");
    const { connectionString } = azurite;
    const table = azureTable(tableClientOf(storageOf(connectionString), name, null));
    const layouts: string[] = [];
    let commits = 0;
    /** As each invocation makes one. */
    const invocation = (shards = 4): Store =>
      createStore({
        table,
        shards,
        newCommitId: () => `commit-${++commits}`,
        onLaidOut: (when) => layouts.push(when),
      });
    const client = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
    return { table, layouts, invocation, client };
  }
  const gone = { name: "StorageError", code: "TableNotFound" };

  test("is made again, once, at the next invocation, which logs that all is gone", async () => {
    const { layouts, invocation, client } = mirror();
    const first = invocation();
    await first.open();
    await addMailbox("adele", {}, first, () => "epoch");
    await client.deleteTable();
    await expect(first.readMailbox("adele")).rejects.toMatchObject(gone);
    const [one, two] = [invocation(), invocation()];
    await Promise.all([one.open(), two.open()]);
    await one.open();
    expect(layouts).toEqual(["atFirst", "again"]);
    expect(await one.readMailbox("adele")).toBeNull();
    expect(await addMailbox("adele", {}, two, () => "epoch")).toMatchObject({ isNew: true });
  });

  const calls: readonly [string, (store: Store) => Promise<unknown>][] = [
    ["a point read", (store) => store.readBrake()],
    ["a transaction", (store) => added(store, "adele")],
    ["a query", (store) => store.readCalendars("adele")],
  ];
  test.each(calls)("is noticed by %s", async (_what, call) => {
    const { layouts, invocation, client } = mirror();
    const store = invocation();
    await store.open();
    await client.deleteTable();
    await expect(call(store)).rejects.toMatchObject({ name: "StorageError" });
    await store.open();
    expect(layouts).toEqual(["atFirst", "again"]);
  });

  test("and made by somebody else is looked at again: its layout, and the key of feed tokens", async () => {
    const { table, layouts, invocation, client } = mirror();
    await invocation().open();
    const key = await keptFeedKey(table, () => new Uint8Array(32).fill(1));
    expect(await keptFeedKey(table, () => new Uint8Array(32).fill(2))).toBe(key);
    await client.deleteTable();
    await client.createTable();
    forgetTable(table); // As every process does, now and then.
    await invocation().open();
    expect(layouts).toEqual(["atFirst", "again"]);
    expect([...(await keptFeedKey(table, () => new Uint8Array(32).fill(2)))]).toEqual(Array(32).fill(2));
    await client.deleteEntity("~meta", "layout");
    forgetTable(table);
    await invocation(8).open();
    forgetTable(table);
    await expect(invocation(4).open()).rejects.toThrow("laid out with SHARDS=8");
  });

  test("and cannot be made yet is reported as it is, and tried again", async () => {
    let isDeleting = true;
    const url = await storageServer((method) => {
      if (isDeleting)
        return {
          status: method === "POST" ? 409 : 404,
          code: method === "POST" ? "TableBeingDeleted" : "TableNotFound",
        };
      return { status: method === "POST" ? 204 : 404, code: "ResourceNotFound" };
    });
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=${url}/a`;
    const table = azureTable(tableClientOf(storageOf(connectionString), "t", null));
    const store = createStore({ table, shards: 4, newCommitId: () => "commit" });
    await expect(store.open()).rejects.toThrow(
      "createTable in partition (none) failed with status 409, code TableBeingDeleted",
    );
    isDeleting = false;
    await expect(store.open()).rejects.toThrow("transaction"); // The table is made: what comes next, this server does not know.
  });
});

/** A storage service that answers with a code of its own. */
async function storageServer(
  reply: (method: string) => { readonly status: number; readonly code: string },
): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume();
    const { status, code } = reply(request.method ?? "");
    response.writeHead(status, { "content-type": "application/json", "x-ms-error-code": code });
    response.end(
      status < 300 ? "" : JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: code } } }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("I7: the changes queue", () => {
  const nudge = { mailbox: "m", sequence: 1 };
  const lines: string[] = [];
  const log = (level: string, message: string) => void lines.push(`${level} ${message}`);

  test("is made again, once, each time that it is found missing, and that is logged", async () => {
    lines.length = 0;
    const name = newName("q");
    const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(name);
    const senders = queueSenderOf(storageOf(azurite.connectionString), name, null, Date.now);
    for (let life = 1; life <= 3; life++) {
      await Promise.all([senders(log)(nudge), senders(log)(nudge), senders(log)(nudge)]);
      expect((await queue.getProperties()).approximateMessagesCount).toBe(3);
      expect(lines).toEqual(Array(life).fill("warn queue made: there was none"));
      await queue.delete();
    }
  });

  test("that is being deleted takes no nudge, says so in one line, and takes the next when it is back", async () => {
    let isDeleting = true;
    const url = await storageServer(() =>
      isDeleting ? { status: 409, code: "QueueBeingDeleted" } : { status: 201, code: "" },
    );
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=${url}/a`;
    const send = queueSenderOf(storageOf(connectionString), "q", null, Date.now)(log);
    await expect(send(nudge)).rejects.toThrow(/^Queue storage: send failed, status 409, code QueueBeingDeleted\.$/);
    isDeleting = false;
    await expect(send(nudge)).resolves.toBeUndefined();
  });

  test("that cannot be made the first time is made the next", async () => {
    let tries = 0;
    const url = await storageServer((method) => {
      if (method === "POST") return tries < 2 ? { status: 404, code: "QueueNotFound" } : { status: 201, code: "" };
      tries += 1;
      return tries === 1 ? { status: 409, code: "QueueBeingDeleted" } : { status: 201, code: "" };
    });
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=${url}/a`;
    const send = queueSenderOf(storageOf(connectionString), "q", null, Date.now)(log);
    await expect(send(nudge)).rejects.toThrow("create failed, status 409, code QueueBeingDeleted");
    await expect(send(nudge)).resolves.toBeUndefined();
    expect(tries).toBe(2);
  });
});
