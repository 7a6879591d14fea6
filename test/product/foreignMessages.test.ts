import { QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";
import { HostProcess } from "../worlds/hostApp.js";
import { nobody } from "../worlds/nobody.js";

/** The built app in a host process, with messages in its queues that nobody of ours has written. */

const root = `${import.meta.dirname}/../..`;
const texts = ["plain text", "{bad", "AAAA"];
let azurite: Azurite;
let host: HostProcess;

const queueOf = (name: string) => new QueueClient(azurite.connectionString, name);

const hiddenSeconds = 600;

/**
 * Sends messages that were delivered four times before, as to hosts that died: the fifth is the last. Each stays hidden until
 * all are worn, so that none is taken for another.
 */
async function sendWorn(queue: QueueClient): Promise<void> {
  const worn: { readonly messageId: string; readonly popReceipt: string }[] = [];
  for (const text of texts) {
    await queue.sendMessage(text);
    for (let delivery = 0; delivery < 4; delivery++) {
      const [message] = (await queue.receiveMessages()).receivedMessageItems;
      if (message === undefined) throw new Error("The message is not there.");
      const { messageId } = message;
      const seconds = delivery === 3 ? hiddenSeconds : 0;
      const { popReceipt = "" } = await queue.updateMessage(messageId, message.popReceipt, undefined, seconds);
      if (delivery === 3) worn.push({ messageId, popReceipt });
    }
  }
  for (const { messageId, popReceipt } of worn) await queue.updateMessage(messageId, popReceipt, undefined, 0);
}

const sizeOf = async (name: string) => (await queueOf(name).getProperties()).approximateMessagesCount;

beforeAll(async () => {
  azurite = await startAzurite();
  for (const name of ["calendar-rounds", "calendar-pages", "calendar-push"]) {
    const queue = queueOf(name);
    await queue.create();
    await sendWorn(queue);
  }
  host = new HostProcess(root, {
    AzureWebJobsStorage: azurite.connectionString,
    GRAPH_ACCESS_TOKEN: "trial",
    GRAPH_ENDPOINT: nobody,
    SHARDS: "1",
    SYNC_SCHEDULE: "0 0 0 1 1 *", // No ticks but those that are sent here.
  });
  await host.event("ready");
});

afterAll(async () => {
  await host?.stop();
  await azurite?.stop();
});

test("I7: messages that are no base64 reach the app, are logged as poison, and are gone", async () => {
  for (const [name, park, kind] of [
    ["calendar-rounds", "parkRounds", "rounds"],
    ["calendar-pages", "parkPages", "page"],
    ["calendar-push", "parkDeliveries", "push"],
  ] as const) {
    const isOfIt = (event: { readonly function: string }) => event.function === park;
    const ends = await host.someEvents("invocation", texts.length, isOfIt);
    expect(ends.map(({ outcome }) => outcome)).toEqual(texts.map(() => "succeeded"));
    const dropped = host.logsOf(park).filter((line) => line.startsWith(`poison ${kind} message dropped`));
    expect(dropped).toHaveLength(texts.length);
    expect(await sizeOf(name)).toBe(0);
    await host.event("poison", (event) => event.queue === name && event.reason === "failed");
  }
});

test("I7: a message of an earlier release, in base64, is worked off as one of this release is", async () => {
  const message = JSON.stringify({ shard: "00", tick: "2026-01-05T00:00:00.000Z" });
  const failed = host.events.filter((event) => event.event === "invocation" && event.outcome === "failed").length;
  await queueOf("calendar-rounds").sendMessage(Buffer.from(message).toString("base64"));
  await queueOf("calendar-rounds").sendMessage(message);
  const ends = await host.someEvents(
    "invocation",
    2,
    ({ function: name, outcome }) => name === "runRounds" && outcome === "succeeded",
  );
  expect(ends).toHaveLength(2);
  expect(host.events.filter((event) => event.event === "invocation" && event.outcome === "failed")).toHaveLength(
    failed,
  );
});
