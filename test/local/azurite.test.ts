import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { TableClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { expect, onTestFinished, test } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";

const clientsOf = ({ connectionString }: Azurite) => ({
  table: TableClient.fromConnectionString(connectionString, "kept", { allowInsecureConnection: true }),
  queue: QueueServiceClient.fromConnectionString(connectionString).getQueueClient("kept"),
});

test("with a folder, what was written is there after a restart", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "azurite-"));
  try {
    const first = await startAzurite({ dataDir });
    const before = clientsOf(first);
    await Promise.all([before.table.createTable(), before.queue.create()]);
    await before.table.createEntity({ partitionKey: "p", rowKey: "r", value: 1 });
    await before.queue.sendMessage("hello");
    await first.stop();

    const second = await startAzurite({ dataDir });
    const after = clientsOf(second);
    expect(await after.table.getEntity("p", "r")).toMatchObject({ value: 1 });
    const { receivedMessageItems } = await after.queue.receiveMessages();
    expect(receivedMessageItems.map((message) => message.messageText)).toEqual(["hello"]);
    await second.stop();
    await second.stop(); // Harmless.
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("what is being saved when Azurite ends is on disk before it has ended", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "azurite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const require = createRequire(import.meta.url);
  require("../../local/azuriteSaves.mjs").finishSaves();
  const Loki = createRequire(require.resolve("azurite/package.json"))("lokijs");
  const file = path.join(folder, "saved.json");
  const database = new Loki(file, { persistenceMethod: "fs", autosave: true, autosaveInterval: 5000 });
  database.addCollection("queues").insert({ name: "kept" });
  database.saveDatabase(); // As every 5 s: it has begun when this returns.
  await new Promise((ended) => database.close(ended));
  expect(readFileSync(file, "utf8")).toContain('"name":"kept"');
});

test("many messages are handed out once, oldest first, and what is deleted stays deleted", async () => {
  const azurite = await startAzurite();
  try {
    const { queue } = clientsOf(azurite);
    await queue.create();
    const sent = Array.from({ length: 40 }, (_, index) => `message ${index}`);
    for (const text of sent) await queue.sendMessage(text);
    const received: string[] = [];
    for (const numberOfMessages of [32, 1, 32]) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages });
      for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
        received.push(messageText);
        await queue.deleteMessage(messageId, popReceipt);
      }
    }
    expect(received).toEqual(sent);
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  } finally {
    await azurite.stop();
  }
});

test("a port that is taken is said in one line", async () => {
  const azurite = await startAzurite();
  try {
    const second = startAzurite({ tablePort: azurite.tablePort });
    await expect(second).rejects.toThrow(/^Azurite did not start: .*EADDRINUSE.*$/);
  } finally {
    await azurite.stop();
  }
});

test("it ends with its parent, even when that is killed", async () => {
  const script = `
    const { startAzurite } = await import(${JSON.stringify(path.resolve(import.meta.dirname, "../../local/azurite.ts"))});
    console.log((await startAzurite()).tablePort);`;
  const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [port] = (await once(createInterface(parent.stdout), "line")) as [string];
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  parent.kill("SIGKILL");
  await once(socket.resume(), "close"); // Azurite holds the other end.
});
