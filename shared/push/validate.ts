import type { Send } from "./ports.js";

/** Whether an address may be told of changes, or why not: a sentence for whoever named it. */
export type Consent = { readonly kind: "given" } | { readonly kind: "withheld"; readonly why: string };

type Answer = Awaited<ReturnType<Send>>;

const failed = "Subscription validation request failed.";

/**
 * Graph's handshake: the receiver is sent a token in the address, and must give it back as plain text within 10 seconds. Whoever has
 * given the address of a stranger learns that the stranger does not know of it.
 * @param url Absolute, as its creator wrote it. @param token Not to be guessed.
 * @see https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation; the words are Graph's.
 */
export async function validate(url: string, send: Send, token: string): Promise<Consent> {
  const asked = withToken(url, token);
  if (asked === null) return withheld(`${failed} The address must not have a query parameter validationToken.`);
  const answer = await send({ url: asked, headers: { "content-type": "text/plain; charset=utf-8" }, body: "" });
  if (answer.kind !== "accepted") return unanswered(answer);
  const type = answer.headers?.["content-type"] ?? "";
  if (answer.status !== 200)
    return withheld(`${failed} Notification endpoint must respond with 200 OK to validation request.`);
  if (!/^text\/plain\s*(;|$)/i.test(type)) return withheld(`${failed} Response must have the content type text/plain.`);
  if (answer.text !== token) {
    return withheld(`${failed} Response must exactly match validationToken query parameter.`);
  }
  return { kind: "given" };
}

/**
 * The handshake of CloudEvents: the receiver is asked by OPTIONS, and says by a header whom it lets send. No rate is asked for: a
 * receiver that has had enough answers 429.
 * @param origin The DNS name of the mirror.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 */
export async function askPermission(url: string, send: Send, origin: string): Promise<Consent> {
  const answer = await send({ url, method: "OPTIONS", headers: { "webhook-request-origin": origin }, body: "" });
  if (answer.kind !== "accepted") return unanswered(answer);
  const allowed = answer.headers?.["webhook-allowed-origin"]?.trim().toLowerCase();
  if (allowed === "*" || allowed === origin.toLowerCase()) return { kind: "given" };
  return withheld(`${failed} Response to OPTIONS must have the header WebHook-Allowed-Origin with * or ${origin}.`);
}

/**
 * The address with the token, all else of it as it was written. The token is escaped without `+`, which some receivers read as
 * itself. Null: there is such a parameter, and which of the two is meant nobody can tell.
 */
function withToken(url: string, token: string): string | null {
  const asked = new URL(url);
  if ([...asked.searchParams.keys()].some((name) => name.toLowerCase() === "validationtoken")) return null;
  asked.search += `${asked.search === "" ? "?" : "&"}validationToken=${encodeURIComponent(token)}`;
  return asked.href;
}

function unanswered(answer: Exclude<Answer, { readonly kind: "accepted" }>): Consent {
  switch (answer.kind) {
    case "refused":
      return withheld(`${failed} HTTP status code is ${answer.status}.`);
    case "unreachable":
      if (answer.code === "timeout") return withheld("Subscription validation request timed out.");
      return withheld(`${failed} The endpoint could not be reached: ${answer.code}.`);
    case "forbidden":
      return withheld(answer.why);
  }
}

function withheld(why: string): Consent {
  return { kind: "withheld", why };
}
