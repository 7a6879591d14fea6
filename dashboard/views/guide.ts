import { el } from "../dom.js";
import { guideLineFor, guideLines } from "../guide.js";
import type { View } from "../view.js";

/** What each word, state, reason and code means, and what to do: the operators' guide, at the line that was asked for. */
export const guide: View = {
  route: "/guide",
  title: "Guide",
  nav: "Guide",
  mount: (root, { query }) => {
    const code = query.get("code") ?? "";
    const found = code === "" ? null : guideLineFor(code);
    if (code !== "") {
      const text = found?.text ?? "The guide has no line for this code. The log tells more under it.";
      root.append(el("div", { class: "card" }, el("h2", { class: "code" }, el("code", {}, code)), el("p", {}, text)));
    }
    for (const heading of new Set(guideLines().map((line) => line.heading))) {
      const list = el("dl", { class: "guide" });
      for (const { word, codes, text } of guideLines().filter((line) => line.heading === heading)) {
        const terms = word === null ? codes.map((each) => el("code", {}, each)) : [word];
        list.append(
          el("dt", {}, ...terms.flatMap((term, index) => (index === 0 ? [term] : [" ", term]))),
          el("dd", {}, text),
        );
      }
      root.append(el("section", {}, el("h2", {}, heading), list));
    }
    return {};
  },
};
