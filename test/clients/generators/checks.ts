import assert from "node:assert/strict";

/** What programs over generated clients share: they take base URL, mailbox and key, and print one line for each check. */
const [root = "", mailbox = "", key = ""] = process.argv.slice(2);

export { key, mailbox, root };
/** Where the paths of the description begin. */
export const api = root.replace(/\/beta$/, "");
export const unread = process.env["UNREAD_MAILBOX"] ?? "";

export async function check(what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
    console.log(`ok   ${what}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAIL ${what}: ${error}`);
  }
}

/** A subscription to all calendars, told to the receiver of the tests. */
export const wanted = {
  changeType: "created,updated,deleted",
  notificationUrl: process.env["RECEIVER_URL"] ?? "",
  resource: "users/getAllCalendars",
  expirationDateTime: inDays(1),
  clientState: "a secret of the receiver",
};

/** A time that is ahead, as JSON has it. */
export function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}

/** The items of an answer, read without any client. */
export async function valuesAt(url: string): Promise<readonly unknown[]> {
  const answer = await fetch(url, { headers: { "x-functions-key": key } });
  return ((await answer.json()) as { value: unknown[] }).value;
}

/** Somebody creates, renames and deletes a calendar. */
export async function change(): Promise<void> {
  assert.equal((await fetch(new URL("/test/change", root), { method: "POST" })).ok, true);
}

/** The token of a link: these clients take options and no links. */
function tokenIn(link: string): string {
  return /\$(?:skip|delta)token=([^&]+)/.exec(link)?.[1] ?? "";
}

/** A part of a page of changes, as both generators type it. */
type DeltaPage<Item> = {
  readonly value: readonly Item[];
  readonly "@odata.nextLink"?: string;
  readonly "@odata.deltaLink"?: string;
};

/** Walks from a delta token, or from the start, to the next deltaLink: the items, and its token. */
export async function walk<Item>(
  ask: (query: { $deltatoken?: string; $skiptoken?: string }) => Promise<DeltaPage<Item> | undefined>,
  deltaToken?: string,
): Promise<{ readonly items: readonly Item[]; readonly token: string }> {
  const items: Item[] = [];
  let query: Parameters<typeof ask>[0] = deltaToken === undefined ? {} : { $deltatoken: deltaToken };
  for (;;) {
    const page = await ask(query);
    assert.ok(page);
    items.push(...page.value);
    const next = page["@odata.nextLink"];
    if (next === undefined) return { items, token: tokenIn(page["@odata.deltaLink"] ?? "") };
    query = { $skiptoken: tokenIn(next) };
  }
}
