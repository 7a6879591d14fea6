import type { QueueClient } from "@azure/storage-queue";
import type { HostFunction } from "./functions.js";
import { HostError } from "./hostError.js";
import { type Environment, resolveSettings } from "./settings.js";
import { type QueueFinder, sendCreating, toQueueName } from "./storage.js";
import type { Binding, RpcInvocationResponse, RpcTypedData } from "./types.js";

/** The queue output binding. */
export type OutputSender = {
  /** Checks at start that the outputs of a function can be resolved. */
  prepare(hostFunction: HostFunction): Promise<void>;
  /** Sends the outputs of a successful handler: the items of a binding one by one, several bindings in parallel. */
  send(hostFunction: HostFunction, response: RpcInvocationResponse): Promise<void>;
};

/** What the queue output binding needs. */
export type OutputOptions = {
  readonly environment: Environment;
  readonly queues: QueueFinder;
  readonly encoding: "base64" | "none";
  /** Called with the URL of a queue that has just got a message. */
  readonly onSent: (queueUrl: string) => void;
};

/** Builds the queue output binding. */
export function createOutputSender({ environment, queues, encoding, onSent }: OutputOptions): OutputSender {
  const open = (binding: Binding): Promise<QueueClient> => {
    const name = toQueueName(resolveSettings(String(binding["queueName"] ?? ""), environment));
    return queues.get(name, binding["connection"]);
  };
  const sendAll = async (binding: Binding, messages: readonly Buffer[]): Promise<void> => {
    const queue = await open(binding);
    // One by one: when one fails, those before it stay sent, and the invocation fails. The app has to expect duplicates.
    for (const message of messages) {
      await sendCreating(queue, encodeMessage(message, encoding));
      onSent(queue.url);
    }
  };
  return {
    async prepare(hostFunction) {
      for (const binding of hostFunction.queueOutputs.values()) await open(binding);
    },
    async send(hostFunction, response) {
      if (hostFunction.queueOutputs.size === 0) return;
      const sends = [...collectOutputs(hostFunction, response)].map(([binding, messages]) =>
        sendAll(binding, messages),
      );
      await Promise.all(sends);
    },
  };
}

/** The text of a message on the wire. */
export function encodeMessage(body: Buffer, encoding: "base64" | "none"): string {
  return body.toString(encoding === "base64" ? "base64" : "utf8");
}

function collectOutputs(hostFunction: HostFunction, response: RpcInvocationResponse): Map<Binding, Buffer[]> {
  const outputs = new Map<Binding, Buffer[]>();
  for (const { name, data } of response.outputData ?? []) {
    const binding = hostFunction.queueOutputs.get(name);
    if (binding !== undefined) outputs.set(binding, toMessages(data));
  }
  const { returnValue } = response;
  if (returnValue === null || returnValue === undefined) return outputs;
  const returnBinding = hostFunction.queueOutputs.get("$return");
  if (returnBinding !== undefined) {
    outputs.set(returnBinding, toMessages(returnValue));
  } else if (returnValue.json !== undefined) {
    // Without a `return` binding the properties of an object result count as outputs by name, over extraOutputs.
    const result: unknown = JSON.parse(returnValue.json);
    if (typeof result !== "object" || result === null || Array.isArray(result)) return outputs;
    for (const [name, value] of Object.entries(result)) {
      const binding = hostFunction.queueOutputs.get(name);
      if (binding === undefined || value === null) continue;
      outputs.set(binding, toMessages(typeof value === "string" ? { string: value } : { json: JSON.stringify(value) }));
    }
  }
  return outputs;
}

/** The messages that the real host makes of one output value. */
function toMessages(data: RpcTypedData): Buffer[] {
  if (data.bytes !== undefined) return [Buffer.from(data.bytes)];
  if (data.string !== undefined) return stringToTexts(data.string).map((text) => Buffer.from(text));
  if (data.json !== undefined) return jsonToTexts(JSON.parse(data.json)).map((text) => Buffer.from(text));
  return [Buffer.from(String(data.int ?? data.double ?? ""))];
}

function jsonToTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(tokenToText) : [tokenToText(value)];
}

/** Newtonsoft's JToken.ToString(): strings verbatim, objects and arrays indented, booleans as .NET spells them. */
function tokenToText(token: unknown): string {
  if (typeof token === "string") return token;
  if (typeof token === "boolean") return token ? "True" : "False";
  return token === null ? "" : JSON.stringify(token, null, 2);
}

/** A string that looks like JSON is parsed and printed again, and a top-level array is split. */
function stringToTexts(text: string): string[] {
  const trimmed = text.trim();
  const looksLikeJson = /^(?:\{[\s\S]*\}|\[[\s\S]*\])$/.test(trimmed);
  if (!looksLikeJson) return [text];
  try {
    return jsonToTexts(JSON.parse(trimmed, (_key, value: unknown) => rewriteDate(value)));
  } catch {
    throw new HostError("an output string looks like JSON but cannot be parsed");
  }
}

const ISO_DATE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?$/;

/**
 * Newtonsoft's default date handling makes such a string a DateTime and prints that: the fraction loses its trailing
 * zeros, and a time with an offset is converted to the host's zone (UTC in Azure).
 */
function rewriteDate(value: unknown): unknown {
  const match = typeof value === "string" ? ISO_DATE.exec(value) : null;
  if (match === null) return value;
  const [, seconds = "", fraction = "", zone = ""] = match;
  const kept = fraction.replace(/0+$/, "");
  const tail = kept === "" ? "" : `.${kept}`;
  if (zone === "" || zone === "Z") return `${seconds}${tail}${zone}`;
  return `${new Date(`${seconds}${zone}`).toISOString().slice(0, 19)}${tail}+00:00`;
}
