import type { ActionPage } from "../shared/views/actionSchema.js";
import { hrefTo, mailboxHref } from "./address.js";
import type { Api } from "./api.js";
import { el } from "./dom.js";
import { nameOf } from "./names.js";
import { actorText } from "./operator.js";
import { type PagedList, pagedList } from "./pagedList.js";
import { timeAgo } from "./times.js";
import { actions, counted } from "./words.js";

/** What operators have done, newest first: to all mailboxes, or to one. */

type Item = ActionPage["value"][number];

type Parts = {
  readonly place: HTMLElement;
  readonly prefix: string;
  readonly api: Api;
  /** An id or a userPrincipalName; empty for all. */
  readonly mailbox: () => string;
  /** False where the list is of one mailbox, which it then does not name. */
  readonly isOfAll: boolean;
};

const actionsAtOnce = 25;
const readAgainMs = 30_000;

/** Another one as often as a list of actions is worth reading again: no figure of the status says whether somebody has acted. */
export function period(): number {
  return Math.floor(Date.now() / readAgainMs);
}

/** Makes the list, in its place. */
export function actionList({ place, prefix, api, mailbox, isOfAll }: Parts): PagedList {
  return pagedList<Item>({
    place,
    prefix,
    read: async (cursor) => {
      const query = new URLSearchParams({ top: String(actionsAtOnce) });
      if (mailbox() !== "") query.set("mailbox", mailbox());
      if (cursor !== null) query.set("cursor", cursor);
      const page = await api.get<ActionPage>(`actions?${query}`);
      return { items: page.value, cursor: page.cursor };
    },
    draw: (items) =>
      el("ul", { class: "history" }, ...items.map((item, index) => lineOf(item, `${prefix}-${index}`, isOfAll))),
    more: "Earlier actions",
    none: isOfAll ? "Nobody has done anything yet." : "Nobody has done anything with it yet.",
  });
}

function lineOf({ time, action, actor, mailbox, subject, count }: Item, id: string, isOfAll: boolean): HTMLElement {
  const said = actions[action] ?? action;
  return el(
    "li",
    {},
    el("span", { class: "badge" }, said),
    ...(isOfAll && mailbox !== null ? [mailboxLink(mailbox, id)] : []),
    subject === null ? null : subjectOf(action, subject),
    count === null ? null : el("span", {}, counted(count, "mailbox", "mailboxes")),
    el("span", { class: "wrap" }, `by ${actorText(actor)}`),
    el("span", { class: "time" }, timeAgo(time)),
  );
}

function mailboxLink(mailbox: NonNullable<Item["mailbox"]>, id: string): HTMLElement {
  const name = nameOf(mailbox);
  const looks = name === mailbox.id ? "id" : "wrap";
  const title = mailbox.userPrincipalName ?? mailbox.id;
  return el("a", { id, class: looks, title, href: mailboxHref(mailbox.id) }, name);
}

function subjectOf(action: Item["action"], subject: string): HTMLElement {
  if (action !== "releaseMany") return el("code", {}, subject);
  return el("a", { href: hrefTo("/mailboxes", { reason: subject }) }, el("code", {}, subject));
}
