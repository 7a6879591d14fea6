import { ApiError, api, type MailboxView } from "./api.js";

/** What people call mailboxes. Figures know ids alone, so the few that are shown are looked up. */

type Named = Pick<MailboxView, "id" | "displayName" | "userPrincipalName">;
type Known = {
  readonly named: Named;
  readonly view: MailboxView | null;
  readonly learntMs: number;
  readonly census: string;
};

const known = new Map<string, Known>();
/** So many mailboxes are looked up with one reading of the status at most: one small request each. */
const lookUpsMax = 20;
/** Names change: after so long one is looked up again. */
const keptMs = 300_000;

/** Remembers what was read of mailboxes. */
export function learn(mailboxes: readonly Named[]): void {
  for (const mailbox of mailboxes) keep(mailbox, null, "");
}

function keep({ id, displayName, userPrincipalName }: Named, view: MailboxView | null, census: string): void {
  known.set(id, { named: { id, displayName, userPrincipalName }, view, learntMs: Date.now(), census });
}

/** How a mailbox stands, as `lookUp` read it; null where it has not. */
export function viewOf(id: string): MailboxView | null {
  return known.get(id)?.view ?? null;
}

/** The name of a mailbox, or its address, or its id: the first that is known. */
export function nameOf({ id, displayName, userPrincipalName }: Named): string {
  return displayName || userPrincipalName || id;
}

/** What is known of a mailbox that is there by its id. */
export function namedAs(id: string): Named {
  return known.get(id)?.named ?? { id, displayName: null, userPrincipalName: null };
}

/** Name and address, so that nobody is mistaken for a namesake. */
export function calledBy(id: string): string {
  const named = namedAs(id);
  const name = nameOf(named);
  const address = named.userPrincipalName;
  return address === null || address === "" || address === name ? name : `${name} (${address})`;
}

/**
 * Looks up those that are not known, or not as they are since the last tick. True when something was learnt.
 * @param census While it is the same, no tick has changed a mailbox.
 */
export async function lookUp(ids: readonly string[], census: string): Promise<boolean> {
  const dueMs = Date.now() - keptMs;
  const isDue = (id: string) => {
    const one = known.get(id);
    return one === undefined || one.census !== census || one.learntMs < dueMs;
  };
  const due = [...new Set(ids)].filter(isDue).slice(0, lookUpsMax);
  const learnt = await Promise.all(due.map((id) => lookUpOne(id, census)));
  return learnt.includes(true);
}

async function lookUpOne(id: string, census: string): Promise<boolean> {
  try {
    const view = await api.mailbox(id);
    keep(view, view, census);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Gone: not asked for again and again. All else is the status's to tell, and the next reading tries anew.
    if (error.status === 404) keep(namedAs(id), null, census);
    return false;
  }
}
