import { actionList, period } from "../actionList.js";
import { hrefTo } from "../address.js";
import { el } from "../dom.js";
import { filtersOf } from "../filters.js";
import type { View } from "../view.js";

/** What operators have done, and who they were. */
export const actions: View = {
  route: "/actions",
  title: "Actions",
  nav: "Actions",
  mount: (root, address, { api }) => {
    const filters = filtersOf({
      prefix: "actions-filter",
      fields: [{ name: "mailbox", label: "Id or user principal name of a mailbox", kind: "text", lengthMax: 320 }],
      hrefOf: (values) => hrefTo("/actions", values),
      submit: "Show",
      again: () => void read(true),
    });
    const place = el("div", { id: "actions", class: "card" });
    root.append(filters.form, place);
    let query = address.query;
    let readings = 0;
    filters.fill(query);
    const mailbox = () => filters.asked(query)["mailbox"] ?? "";
    const list = actionList({ place, prefix: "action", api, mailbox, isOfAll: true });
    const read = (isAnew = false) => {
      if (isAnew) readings += 1;
      return list.refresh(`${readings} ${mailbox()} ${period()}`);
    };
    return {
      refresh: () => read(),
      update: (to) => {
        query = to.query;
        filters.fill(query);
        void read();
      },
    };
  },
};
