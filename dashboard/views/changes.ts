import { el } from "../dom.js";
import { historyList } from "../history.js";
import type { View } from "../view.js";

/** What changed lately in all mailboxes. */
export const changes: View = {
  route: "/changes",
  title: "Recent changes",
  nav: "Changes",
  mount: (root, _address, { api }) => {
    const place = el("div", { id: "history", class: "card" });
    root.append(place);
    const list = historyList({ place, prefix: "change", read: api.history, isOfAll: true });
    return { refresh: ({ logged }) => list.refresh(logged) };
  },
};
