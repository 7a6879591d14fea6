const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether the text is a GUID, in either case: all ids of Entra are, and so are those of requests. */
export function isGuid(text: string): boolean {
  return guid.test(text);
}

/** A userPrincipalName as it is compared: without regard to case, as Entra ID has no two users whose names differ in it alone. */
export function foldedName(userPrincipalName: string): string {
  return userPrincipalName.toWellFormed().toLowerCase();
}

/**
 * The mailbox id as the table keeps it, or what is wrong with it in one sentence.
 * Object ids only: an address dies with a rename, and some mailboxes fail lastingly when asked for by address.
 */
export function mailboxIdOf(text: string, isTrial: boolean): { readonly id: string } | { readonly mistake: string } {
  if (text === "me") {
    if (isTrial) return { id: text };
    return { mistake: "The mailbox id me is for trials with GRAPH_ACCESS_TOKEN only. Give the user's object id." };
  }
  if (text.includes("@")) return { mistake: "The mailbox id must be the user's object id, not an address." };
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text)) {
    return {
      mistake:
        "The mailbox id must be the user's object id: letters, digits, dots, dashes and underscores, 128 at most.",
    };
  }
  return { id: isGuid(text) ? text.toLowerCase() : text };
}

/**
 * The same for a mailbox that is to be added. An id of another shape is nobody's, and Graph would refuse it for ever; one
 * that an earlier release took can still be looked at, and removed.
 */
export function newMailboxIdOf(text: string, isTrial: boolean): ReturnType<typeof mailboxIdOf> {
  const named = mailboxIdOf(text, isTrial);
  if ("mistake" in named || named.id === "me" || isGuid(named.id)) return named;
  const mistake = "The mailbox id must be the user's object id, such as 3f0c0000-0000-4000-8000-0000000000a1.";
  return { mistake };
}
