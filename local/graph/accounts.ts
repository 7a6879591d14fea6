/**
 * What a mailbox is for, as `userPurpose` says; the last one is Graph's own word for what a caller may not know yet.
 * @see https://learn.microsoft.com/graph/api/resources/mailboxsettings#userpurpose-values
 */
export const PURPOSES = ["user", "linked", "shared", "room", "equipment", "others", "unknownFutureValue"] as const;
/** One of those purposes. */
export type Purpose = (typeof PURPOSES)[number];

/**
 * Of each hundred accounts, how many are not simply people: shared mailboxes, rooms and equipment, whose sign-in is
 * disabled from the start, and leavers, whose mailbox is a person's and whose sign-in was disabled.
 */
export type AccountsPerHundred = Partial<Readonly<Record<AccountKind, number>>>;

const ACCOUNT_KINDS = ["shared", "room", "equipment", "leaver"] as const;
type AccountKind = (typeof ACCOUNT_KINDS)[number];

/** A tenant of some of each: 12 of 100 accounts are shared mailboxes, rooms or equipment, 3 are leavers. */
export const MIXED_TENANT: AccountsPerHundred = { shared: 7, room: 3, equipment: 2, leaver: 3 };

/** How an account and its mailbox are first made. */
export type AccountPlan = { readonly purpose: Purpose; readonly isEnabled: boolean; readonly isPerson: boolean };

/** Without common factors with 100: a hundred accounts in a row take each place once, and the kinds lie far apart. */
const STRIDE = 29;
/** The first account is a person with the shares of `MIXED_TENANT`. */
const START = 15;

/** @param perHundred Null: people only, of whom every seventeenth has left. */
export function accountPlanOf(index: number, perHundred: AccountsPerHundred | null): AccountPlan {
  if (perHundred === null) return { purpose: "user", isEnabled: index % 17 !== 16, isPerson: true };
  let place = (index * STRIDE + START) % 100;
  for (const kind of ACCOUNT_KINDS) {
    place -= perHundred[kind] ?? 0;
    if (place < 0) return { purpose: kind === "leaver" ? "user" : kind, isEnabled: false, isPerson: false };
  }
  return { purpose: "user", isEnabled: true, isPerson: true };
}

/**
 * Reads `shared=7,room=3`, with any of the kinds.
 * @throws Error in one line for anything else, or for more than a hundred of a hundred.
 */
export function accountsPerHundredOf(text: string): AccountsPerHundred {
  const pairs = text.split(",").map((pair) => /^([a-z]+)=(\d{1,3})$/.exec(pair.trim()));
  const found = pairs.map((pair) => [ACCOUNT_KINDS.find((kind) => kind === pair?.[1]), Number(pair?.[2])] as const);
  const total = found.reduce((sum, [, count]) => sum + count, 0);
  if (found.some(([kind]) => kind === undefined) || total > 100) {
    throw new Error(`Of each hundred accounts: ${ACCOUNT_KINDS.join("=N,")}=N, at most 100 together, not "${text}".`);
  }
  return Object.fromEntries(found);
}
