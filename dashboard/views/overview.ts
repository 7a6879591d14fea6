import { activityDrawer } from "../charts.js";
import { el } from "../dom.js";
import { drawFreshness } from "../freshness.js";
import { lookUp, namedIn } from "../names.js";
import { troublesDrawer } from "../troubles.js";
import type { View } from "../view.js";

/** How fresh everything is, what somebody should look into, and how that went over time. */
export const overview: View = {
  route: "/",
  title: "Overview",
  nav: "Overview",
  mount: (root, _address, { refreshNow }) => {
    const freshness = el("div", { id: "freshness" });
    const troubles = el("div", { id: "troubles" });
    const activity = el("div");
    root.append(
      section("freshness-title", "Freshness", freshness),
      section("troubles-title", "Needs a look", troubles),
      section("activity-title", "Over time", activity),
    );
    const drawTroubles = troublesDrawer(troubles, refreshNow);
    const charts = activityDrawer(activity);
    return {
      refresh: async ({ status }) => {
        drawFreshness(freshness, status);
        drawTroubles(status);
        charts.draw(status.activity.ticks);
        if (await lookUp(namedIn(status))) drawTroubles(status);
      },
      unmount: charts.destroy,
    };
  },
};

function section(id: string, title: string, place: HTMLElement): HTMLElement {
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), place);
}
