import { createHash, createHmac } from "node:crypto";

/**
 * Signatures of Standard Webhooks: by them a receiver knows that a request is ours and whole, and that it is no copy of an old one.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

/** A signing secret as it is shown to people, once. @param secret Bytes in base64: 24 to 64. */
export function shownSecret(secret: string): string {
  return `whsec_${secret}`;
}

/**
 * The id of a request: the same for the same notifications however often they are sent, and never with a dot, by which the
 * signed text is divided.
 */
export function webhookId(subscriptionId: string, notificationIds: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify([subscriptionId, ...notificationIds]));
  return `msg_${hash.digest("base64url").slice(0, 32)}`;
}

/** What signs a request. @param secret Bytes in base64. @param nowMs When it is sent: receivers refuse one that is five minutes old. */
export function signedHeaders(
  secret: string,
  id: string,
  body: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const hmac = createHmac("sha256", Buffer.from(secret, "base64")).update(`${id}.${timestamp}.${body}`);
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${hmac.digest("base64")}` };
}
