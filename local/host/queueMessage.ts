import { randomUUID } from "node:crypto";
import type { DequeuedMessageItem } from "@azure/storage-queue";
import type { RpcTypedData } from "./types.js";

/** The body of a message as text; null when it is not encoded as `encoding` says, and no function can handle it. */
export function decodeMessage(text: string, encoding: "base64" | "none"): string | null {
  if (encoding === "none") return text;
  const compact = text.replaceAll(/[ \t\r\n]/g, ""); // .NET's Convert.FromBase64String skips white space, nothing else.
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return null;
  return Buffer.from(compact, "base64").toString("utf8");
}

/** What `context.triggerMetadata` is made of for a received message. */
export function messageMetadata(
  functionName: string,
  body: string,
  message: DequeuedMessageItem,
): Record<string, RpcTypedData> {
  return withOwnProperties(functionName, body, {
    QueueTrigger: { string: body },
    DequeueCount: { json: String(message.dequeueCount) },
    Id: { string: message.messageId },
    PopReceipt: { string: message.popReceipt },
    InsertionTime: { json: JSON.stringify(message.insertedOn) },
    ExpirationTime: { json: JSON.stringify(message.expiresOn) },
    NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
  });
}

/** The same for a manual run, which has a body but no message behind it. */
export function manualMetadata(functionName: string, body: string): Record<string, RpcTypedData> {
  const now = JSON.stringify(new Date());
  return withOwnProperties(functionName, body, {
    QueueTrigger: { string: body },
    DequeueCount: { json: "0" },
    Id: { string: "" },
    PopReceipt: { string: "" },
    InsertionTime: { json: now },
    ExpirationTime: { json: now },
    NextVisibleTime: { json: now },
  });
}

/**
 * Adds the top-level properties of a JSON object message, arrays and nulls excepted. Names differ by more than letter
 * case, so a property `id` replaces the message's own `Id`.
 */
function withOwnProperties(
  functionName: string,
  body: string,
  builtIn: Record<string, RpcTypedData>,
): Record<string, RpcTypedData> {
  const sys = { MethodName: functionName, UtcNow: new Date(), RandGuid: randomUUID() };
  const metadata = new Map<string, [string, RpcTypedData]>();
  const put = (name: string, data: RpcTypedData) => metadata.set(name.toLowerCase(), [name, data]);
  for (const [name, data] of Object.entries(builtIn)) put(name, data);
  put("sys", { json: JSON.stringify(sys) });
  for (const [name, value] of Object.entries(parseObject(body))) {
    if (value === null || Array.isArray(value)) continue;
    put(name, typeof value === "object" ? { json: JSON.stringify(value) } : { string: scalarText(value) });
  }
  return Object.fromEntries(metadata.values());
}

function scalarText(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value);
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {}; // Plain text is a valid message without properties.
  }
}
