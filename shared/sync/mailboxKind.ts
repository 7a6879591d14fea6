/**
 * What a mailbox is for. All but `unknown` are Graph's `userPurpose`; `unknown` has not been learned: nobody was asked, the
 * permission is missing, or there is no such mailbox.
 * @see https://learn.microsoft.com/graph/api/resources/mailboxsettings#userpurpose-values
 */
export const mailboxKinds = ["user", "shared", "room", "equipment", "linked", "others", "unknown"] as const;
export type MailboxKind = (typeof mailboxKinds)[number];

/** Kinds that `ROSTER_KINDS` may name. */
export const knownKinds = mailboxKinds.filter((kind) => kind !== "unknown");

/** The kind that Graph's word stands for. The enumeration may grow: a member that we do not know is one of the others. */
export function kindOfPurpose(userPurpose: string): MailboxKind {
  const named = userPurpose.toLowerCase();
  return knownKinds.find((kind) => kind === named) ?? "others";
}

/** Kinds by name in order, to be compared with what the last pass took. */
export function namesOf(kinds: ReadonlySet<MailboxKind>): string {
  return knownKinds.filter((kind) => kinds.has(kind)).join(",");
}

/** Kinds whose accounts nobody signs in with: a disabled sign-in says nothing of them. */
const withoutSignIn: ReadonlySet<MailboxKind> = new Set(["shared", "room", "equipment"]);

/** What of an account decides whether its mailbox is mirrored. Null: it was not reported, which counts for the account. */
export type Account = {
  readonly removed: "changed" | "deleted" | null;
  readonly accountEnabled: boolean | null;
  readonly userType: string | null;
  readonly mail: string | null;
};

/**
 * Why an account's mailbox is not mirrored, or null: only evidence takes anybody away (I3). A disabled sign-in makes a
 * leaver of a user and not of a shared mailbox, a room or equipment, whose accounts are made that way.
 * @param kinds Those that the roster takes. A kind that is not known is taken.
 */
export function leaveReasonOf(account: Account, kind: MailboxKind, kinds: ReadonlySet<MailboxKind>): string | null {
  if (account.removed !== null) return account.removed === "deleted" ? "deleted" : "softDeleted";
  if (account.accountEnabled === false && !withoutSignIn.has(kind)) return "disabled";
  if (account.userType?.toLowerCase() === "guest") return "guest";
  if (account.mail === null || account.mail === "") return "noMail";
  return kind === "unknown" || kinds.has(kind) ? null : "kind";
}

/** Whether the kind may decide: a living member with an address. */
export function isKindOfInterest({ removed, userType, mail }: Account): boolean {
  return removed === null && userType?.toLowerCase() !== "guest" && mail !== null && mail !== "";
}
