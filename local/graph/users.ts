import type { AccountPlan } from "./accounts.js";

const FIRST_NAMES = ["Samantha", "Ravi", "Mei", "Ola", "Fatima", "Jonas", "Chidi", "Ines", "Tomas", "Yuki", "Amal"];
const LAST_NAMES = ["Booth", "Iyer", "Chen", "Nordmann", "Haddad", "Weber", "Okafor", "Sousa", "Novak", "Sato"];
const DOMAIN = "contoso.example";

/** A user as the directory shows it. */
export type DirectoryUser = {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly mail: string | null;
  readonly displayName: string;
  readonly accountEnabled: boolean;
  readonly userType: string;
};

/** Properties of a user to set. */
export type UserChanges = Partial<Omit<DirectoryUser, "id">>;

/** The display name that a user has at first. */
export function userNameOf(index: number): string {
  return `${FIRST_NAMES[index % FIRST_NAMES.length]} ${LAST_NAMES[index % LAST_NAMES.length]}`;
}

/** The principal name that a user has at first; also the mail address. */
export function userPrincipalNameOf(index: number): string {
  return `${userNameOf(index).toLowerCase().replace(" ", ".")}.${index}@${DOMAIN}`;
}

/** The index in a principal name as it was first given, or null. */
export function indexInPrincipalName(name: string): number | null {
  const found = /\.(\d{1,9})@/.exec(name);
  return found === null ? null : Number(found[1]);
}

/** A user as first made. Of people, every thirteenth is a guest: a roster has to handle them. */
export function firstUser(id: string, index: number, { isEnabled, isPerson }: AccountPlan): DirectoryUser {
  const userPrincipalName = userPrincipalNameOf(index);
  return {
    id,
    userPrincipalName,
    mail: userPrincipalName,
    displayName: userNameOf(index),
    accountEnabled: isEnabled,
    userType: isPerson && index % 13 === 12 ? "Guest" : "Member",
  };
}
