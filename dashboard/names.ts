import { ApiError, api, type MailboxView, type Status } from "./api.js";

/** What people call mailboxes. Figures know ids alone, so the few that are shown are looked up. */

type Named = Pick<MailboxView, "id" | "displayName" | "userPrincipalName">;
type Known = { readonly named: Named; readonly learntMs: number };

const known = new Map<string, Known>();
/** So many mailboxes are looked up with one reading of the status at most: one small request each. */
const lookUpsMax = 20;
/** Names change: after so long one is looked up again. */
const keptMs = 300_000;

/** Remembers what was read of mailboxes. */
export function learn(mailboxes: readonly Named[]): void {
  const learntMs = Date.now();
  for (const { id, displayName, userPrincipalName } of mailboxes) {
    known.set(id, { named: { id, displayName, userPrincipalName }, learntMs });
  }
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

/** Looks up the names that are not known, or not lately. True when some were learnt. */
export async function lookUp(ids: readonly string[]): Promise<boolean> {
  const dueMs = Date.now() - keptMs;
  const due = [...new Set(ids)].filter((id) => (known.get(id)?.learntMs ?? 0) < dueMs).slice(0, lookUpsMax);
  const learnt = await Promise.all(due.map(lookUpOne));
  return learnt.includes(true);
}

async function lookUpOne(id: string): Promise<boolean> {
  try {
    learn([await api.mailbox(id)]);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Gone: not asked for again and again. All else is the status's to tell, and the next reading tries anew.
    if (error.status === 404) learn([namedAs(id)]);
    return false;
  }
}

/** How many mailboxes of each trouble are shown. */
export const examplesShown = 5;

/** The mailboxes that the status names and the page shows. */
export function namedIn({ troubles, mailboxes }: Pick<Status, "troubles" | "mailboxes">): readonly string[] {
  const { parked, held, waiting, suspended } = troubles;
  const examples = [...parked, ...held, ...waiting, ...suspended].flatMap((one) =>
    one.examples.slice(0, examplesShown),
  );
  return mailboxes.oldestSuccess === null ? examples : [...examples, mailboxes.oldestSuccess.mailbox];
}
