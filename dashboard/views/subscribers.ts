import { el } from "../dom.js";
import { subscribersDrawer } from "../subscribers.js";
import type { View } from "../view.js";

/** Who is sent notifications, how far behind each is, and what helps. */
export const subscribers: View = {
  route: "/subscribers",
  title: "Subscribers",
  nav: "Subscribers",
  mount: (root, _address, { api, refreshNow }) => {
    const place = el("div", { id: "subscribers" });
    root.append(place);
    const draw = subscribersDrawer(place, api, refreshNow);
    return { refresh: ({ status }) => draw(status) };
  },
};
