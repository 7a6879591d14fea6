import { type QueueClient, QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";
import { HostProcess, removeApp, writeApp } from "../worlds/hostApp.js";

const APP = `
  import { app, output } from "@azure/functions";
  const connection = "AzureWebJobsStorage";
  const queue = (name, queueName, handler, more = {}) => app.storageQueue(name, { queueName, connection, handler, ...more });
  const out = output.storageQueue({ queueName: "%OUT_QUEUE%", connection });
  const second = output.storageQueue({ queueName: "second", connection });
  const refused = output.storageQueue({ queueName: "refused", connection });

  queue("failing", "failing", (message, context) => {
    context.log(message.text, context.triggerMetadata.dequeueCount);
    throw new Error("as always");
  });
  queue("afterFailing", "failing-poison", (message, context) => context.log(message.text));
  queue("quiet", "quiet", (message, context) => context.log("seen", message));
  queue("curious", "curious", (message, context) => {
    const { id, dequeueCount, insertionTime, popReceipt, queueTrigger, flag, nested, list } = context.triggerMetadata;
    context.log(JSON.stringify({ message, id, dequeueCount, queueTrigger, flag, nested, list }));
    context.log(typeof insertionTime, typeof popReceipt);
  });
  queue("first", "first", (message, context) => { context.extraOutputs.set(second, [JSON.stringify(message)]); },
    { extraOutputs: [second] });
  queue("second", "second", (message, context) => context.log(JSON.stringify(message)));
  const values = {
    strings: ['{"a":1}', "[1, 2]", "plain"],
    objects: [{ a: 1 }, { b: [true] }],
    booleans: [true, false],
    object: { at: "2026-01-01T00:00:00.500Z" },
    splitString: '[{"a":1},"two",3]',
    dateString: '{"at":"2026-01-01T00:00:00.500Z"}',
    bytes: Buffer.from("[1, 2]"),
    number: 7,
  };
  queue("writes", "writes", (kind, context) => { context.extraOutputs.set(out, values[kind]); }, { extraOutputs: [out] });
  queue("returns", "returns", (kind) => values[kind], { return: out });
  queue("returnsByName", "returns-by-name", (kind, context) => {
    context.extraOutputs.set(out, "overridden");
    return { [out.name]: values[kind] };
  }, { extraOutputs: [out] });
  queue("writesAndFails", "writes-and-fails", (message, context) => {
    context.extraOutputs.set(out, "never sent");
    throw new Error("too late");
  }, { extraOutputs: [out] });
  queue("writesTooMuch", "writes-too-much", (message, context) => {
    context.extraOutputs.set(out, ["small", "x".repeat(50_000)]);
  }, { extraOutputs: [out] });
`;

let azurite: Azurite;
let appDir: string;
let host: HostProcess;
let out: QueueClient;

const queueOf = (name: string) =>
  QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(name);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

async function send(queueName: string, text: string): Promise<void> {
  const queue = queueOf(queueName);
  await queue.createIfNotExists();
  await queue.sendMessage(text);
}

async function peek(queueName: string): Promise<string[]> {
  const { peekedMessageItems } = await queueOf(queueName).peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map((message) => message.messageText);
}

/** What is in the output queue, decoded; emptied for the next test. */
async function takeOutput(): Promise<string[]> {
  const texts = (await peek(out.name)).map((text) => Buffer.from(text, "base64").toString());
  await out.clearMessages();
  return texts;
}

/** A message that was received twice before and let go each time, as by hosts that died. */
async function sendWornMessage(queueName: string): Promise<void> {
  await send(queueName, encode("worn"));
  const queue = queueOf(queueName);
  for (let delivery = 0; delivery < 2; delivery++) {
    const [message] = (await queue.receiveMessages()).receivedMessageItems;
    if (message === undefined) throw new Error("the message is not there");
    await queue.updateMessage(message.messageId, message.popReceipt, undefined, 0);
  }
}

beforeAll(async () => {
  azurite = await startAzurite();
  const queues = { maxDequeueCount: 2 };
  const localSettings = { IsEncrypted: false, Values: { OUT_QUEUE: "Out-Queue", AzureWebJobsStorage: "not this one" } };
  appDir = writeApp({ files: { "app.js": APP }, hostJson: { extensions: { queues } }, localSettings });
  out = queueOf("out-queue");
  await out.create();
  await sendWornMessage("quiet");
  host = new HostProcess(appDir, { AzureWebJobsStorage: azurite.connectionString });
  await host.event("ready");
});

afterAll(async () => {
  await host?.stop();
  await azurite?.stop();
  if (appDir !== undefined) removeApp(appDir);
});

test("a failing message is tried maxDequeueCount times, then copied to the poison queue and deleted", async () => {
  await send("failing", encode({ text: "bad" }));
  const poison = await host.event("poison", (event) => event.queue === "failing");
  expect(poison).toMatchObject({ poisonQueue: "failing-poison", dequeueCount: 2, reason: "failed" });
  expect(host.logsOf("failing")).toEqual(["bad 1", "bad 2"]);
  await host.event("invocation", (event) => event.function === "afterFailing");
  expect(host.logsOf("afterFailing")).toEqual(["bad"]);
  expect(await peek("failing")).toEqual([]);
});

test("a message that wore out its hosts goes to poison at pick-up, without an invocation", async () => {
  const poison = await host.event("poison", (event) => event.reason === "dequeueCount");
  expect(poison).toMatchObject({ function: "quiet", dequeueCount: 3 });
  expect(await peek("quiet-poison")).toEqual([encode("worn")]);
  expect(host.logsOf("quiet")).toEqual([]);
});

test("a message that is not base64 goes to poison as it is, without an invocation", async () => {
  await send("quiet", "{plain text}");
  await host.event("poison", (event) => event.reason === "undecodable");
  expect(await peek("quiet-poison")).toContain("{plain text}");
  expect(host.logsOf("quiet")).toEqual([]);
});

test("trigger metadata carries the message's own top-level properties, which replace built-in ones", async () => {
  const message = { id: "own", flag: true, nested: { Inner: 1 }, list: [1], none: null };
  await send("curious", encode(message));
  await host.event("invocation", (event) => event.function === "curious");
  const [seen = "", types] = host.logsOf("curious");
  expect(JSON.parse(seen)).toEqual({
    message,
    id: "own",
    dequeueCount: 1,
    queueTrigger: { ...message, nested: { inner: 1 } }, // Inside objects too, names begin in lower case.
    flag: "True",
    nested: { inner: 1 },
  });
  expect(types).toBe("string string");
});

test("an output of one function reaches another one, through a queue that did not exist", async () => {
  await send("first", encode({ step: 1 }));
  await host.event("invocation", (event) => event.function === "second");
  expect(host.logsOf("second")).toEqual(['{"step":1}']);
});

test.each([
  ["an array of strings: one message each, verbatim", "strings", ['{"a":1}', "[1, 2]", "plain"]],
  ["an array of objects: indented JSON each", "objects", ['{\n  "a": 1\n}', '{\n  "b": [\n    true\n  ]\n}']],
  ["booleans as .NET spells them", "booleans", ["True", "False"]],
  ["an object: indented JSON, dates untouched", "object", ['{\n  "at": "2026-01-01T00:00:00.500Z"\n}']],
  ["a string that looks like a JSON array is split", "splitString", ['{\n  "a": 1\n}', "two", "3"]],
  [
    "a string that looks like an object may lose a date's zeros",
    "dateString",
    ['{\n  "at": "2026-01-01T00:00:00.5Z"\n}'],
  ],
  ["bytes: verbatim", "bytes", ["[1, 2]"]],
  ["a number: its digits", "number", ["7"]],
])("output of %s", async (_title, kind, messages) => {
  expect(await host.runManually("writes", kind)).toMatchObject({ outcome: "succeeded", cause: "manual" });
  expect(await takeOutput()).toEqual(messages);
});

test("a `return` binding sends the handler's result", async () => {
  await host.runManually("returns", "strings");
  expect(await takeOutput()).toEqual(['{"a":1}', "[1, 2]", "plain"]);
});

test("without one, an object's properties count as outputs by binding name, over extraOutputs", async () => {
  await host.runManually("returnsByName", "strings");
  expect(await takeOutput()).toEqual(['{"a":1}', "[1, 2]", "plain"]);
});

test("a handler that throws sends nothing", async () => {
  expect(await host.runManually("writesAndFails")).toMatchObject({ outcome: "failed", error: "too late" });
  expect(await takeOutput()).toEqual([]);
});

test("a message that storage refuses fails the invocation; those before it stay sent", async () => {
  expect(await host.runManually("writesTooMuch")).toMatchObject({ outcome: "failed" });
  expect(await takeOutput()).toEqual(["small"]);
});
