import type { JsonObject } from "../../shared/sync/types.js";
import { contentText } from "../sim/views.js";
import type { HostPool } from "./hosts.js";

/** What a program keeps that follows one mailbox's feed over HTTP. */
type Follower = { link: string | null; walk: Map<string, string>; copy: Map<string, string> | null };

type FeedPage = {
  readonly value: readonly (JsonObject & { readonly "@removed"?: unknown })[];
  readonly "@odata.nextLink"?: string;
  readonly "@odata.deltaLink"?: string;
};

const pageSize = 3;

/**
 * Programs that follow the feed of each mailbox through whichever host is up, while hosts die under their calls. What
 * they hold in the end must be what the mailboxes hold (I6).
 */
export class Followers {
  readonly #followers = new Map<string, Follower>();
  readonly faults: string[] = [];
  /** Calls that were answered with a page; walks that had to start over. */
  readonly counts = { pages: 0, startedOver: 0 };

  constructor(private readonly pool: HostPool) {}

  /** One page. True when the feed has nothing more for now. A host that dies under the call changes nothing. */
  async step(mailboxId: string): Promise<boolean> {
    const follower = this.#followers.get(mailboxId) ?? { link: null, walk: new Map(), copy: null };
    this.#followers.set(mailboxId, follower);
    const answer = await this.#get(mailboxId, follower.link);
    if (answer === null || answer.status === 503) return false;
    // Refused by Graph before its first round has ended: nothing was served, and a link was never given.
    if ((answer.status === 403 || answer.status === 404) && follower.link === null) return false;
    if (answer.status === 410) {
      this.#followers.delete(mailboxId);
      this.counts.startedOver += 1;
      return false;
    }
    if (answer.status !== 200) {
      this.faults.push(`${mailboxId}: the feed answered ${answer.status} ${answer.text.slice(0, 200)}`);
      return false;
    }
    this.counts.pages += 1;
    return take(follower, JSON.parse(answer.text) as FeedPage);
  }

  copyOf(mailboxId: string): ReadonlyMap<string, string> | null {
    return this.#followers.get(mailboxId)?.copy ?? null;
  }

  async #get(mailboxId: string, link: string | null): Promise<{ status: number; text: string } | null> {
    const hostUrl = this.pool.ready()[0]?.hostUrl ?? null;
    if (hostUrl === null) return null;
    const start = `${hostUrl}/api/beta/users/${mailboxId}/calendars/delta`;
    // Hosts come back on another port: in Azure the name in front of them stays.
    const url = link === null ? start : link.replace(/^http:\/\/[^/]+/, hostUrl);
    try {
      const response = await fetch(url, { headers: { Prefer: `odata.maxpagesize=${pageSize}` } });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (error instanceof TypeError) return null; // The host died under the call: undici says so in this way.
      throw error;
    }
  }
}

/** A walk from nothing becomes the copy when it has ended; later pages go right into the copy. */
function take(follower: Follower, page: FeedPage): boolean {
  const target = follower.copy ?? follower.walk;
  for (const item of page.value) {
    if (item["@removed"] !== undefined) target.delete(String(item["id"]));
    else target.set(String(item["id"]), contentText(item));
  }
  const deltaLink = page["@odata.deltaLink"] ?? null;
  follower.link = deltaLink ?? page["@odata.nextLink"] ?? null;
  if (deltaLink !== null) follower.copy = target;
  return deltaLink !== null;
}
