import { mailboxIdOf } from "../sync/mailboxId.js";
import { decoded } from "./beta/paths.js";
import { type Answer, type HttpPorts, refusal } from "./handler.js";

/** The mailbox that a path names. `user`: as the path names it, an id as the table keeps it. */
export type AskedMailbox = { readonly id: string; readonly user: string; readonly isByName: boolean };

/** Our choice: more than Entra ID lets a name have, which is 113 of `A-Z a-z 0-9 ' . - _ ! # ^ ~` and the `@`. */
const nameShape = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,320}$/u;

/**
 * The mailbox that a path names by object id, or by a userPrincipalName that the roster knows, in any case of letters. Else, in a
 * sentence, what is wrong with the name (`mistake`), or why nobody has it (`unknown`).
 * @param user Decoded or not: neither ids nor names hold a percent sign.
 * @throws StorageError, RowError
 */
export async function mailboxAsked(
  user: string,
  ports: Pick<HttpPorts, "isTrial" | "mailboxNamed">,
): Promise<AskedMailbox | { readonly mistake: string } | { readonly unknown: string }> {
  const text = decoded(decoded(user)).toWellFormed();
  if (!text.includes("@")) {
    const named = mailboxIdOf(text, ports.isTrial);
    return "mistake" in named ? named : { id: named.id, user: named.id, isByName: false };
  }
  if (!nameShape.test(text)) {
    return { mistake: "A userPrincipalName has at most 320 characters, and no blanks or control characters." };
  }
  const found = await ports.mailboxNamed(text);
  if (found.kind === "mailbox") return { id: found.mailboxId, user: text, isByName: true };
  return { unknown: whyNot[found.kind] };
}

const whyNot = {
  unknown:
    "Nobody whom discovery follows has this userPrincipalName. Ask by the user's object id, also for a mailbox that was added by hand.",
  several: "Several users of the roster have this userPrincipalName, so it is nobody's. Ask by the user's object id.",
  notFollowed:
    "The roster is kept by hand (ROSTER=manual), so no userPrincipalName is known. Ask by the user's object id.",
} as const;

/** The same for a path of operators: `{id}`, or the refusal. */
export async function mailboxOfPath(
  request: { readonly params: Readonly<Record<string, string>> },
  ports: HttpPorts,
): Promise<{ readonly id: string } | { readonly refusal: Answer }> {
  const asked = await mailboxAsked(request.params["id"] ?? "", ports);
  if ("mistake" in asked) return { refusal: refusal(400, "invalidRequest", asked.mistake) };
  return "unknown" in asked ? { refusal: refusal(404, "itemNotFound", asked.unknown) } : asked;
}
