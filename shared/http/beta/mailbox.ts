import type { FeedRefusal } from "../../feed/feed.js";
import { type AskedMailbox, mailboxAsked } from "../askedMailbox.js";
import { type Answer, type HttpPorts, refusal } from "../handler.js";
import { feedRefusal, unknownMailbox } from "./feedRefusals.js";

export type { AskedMailbox };

/**
 * The mailbox of a user as a path below `users` names it, or the refusal in Graph's shape.
 * @param user Decoded or not, and without the quotes of `users('…')`. @throws StorageError, RowError
 */
export async function mailboxOfUser(
  user: string,
  ports: HttpPorts,
): Promise<AskedMailbox | { readonly refusal: Answer }> {
  const asked = await mailboxAsked(user, ports);
  if ("mistake" in asked) return { refusal: unknownMailbox(asked.mistake) };
  return "unknown" in asked ? { refusal: unknownMailbox(asked.unknown) } : asked;
}

/**
 * The user as the key of a context URL. A name stays as it was asked for, as it does with Graph: `'` stands twice, as in all of
 * OData's literals, and the rest is percent-encoded.
 * @see https://learn.microsoft.com/graph/api/calendar-get?view=graph-rest-beta, "users('meganb%40contoso.OnMicrosoft.com')"
 */
export function userKey({ user }: AskedMailbox): string {
  return `'${encodeURIComponent(user.replaceAll("'", "''"))}'`;
}

/**
 * A refusal of the feed. A token that does not open under a name may be that of the user who had the name before: the reader
 * has to start over, and does so after a 410.
 */
export function mailboxRefusal(asked: AskedMailbox, refused: FeedRefusal, startUrl: string, nowMs: number): Answer {
  if (refused.kind !== "badToken" || !asked.isByName) return feedRefusal(refused, startUrl, nowMs);
  const message =
    "The token is not of the mailbox that goes by this userPrincipalName now: start over, and drop what the new walk does not contain.";
  return refusal(410, "syncStateNotFound", message, { location: startUrl });
}
