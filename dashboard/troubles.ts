import { liftBrake } from "./actions.js";
import { api, examplesShown, type Status } from "./api.js";
import { type Group, groupCard, groupKey, groupsOf } from "./attention.js";
import { act } from "./confirm.js";
import { el, show } from "./dom.js";
import { explained } from "./reasons.js";
import { clockTime, timeAgo } from "./times.js";
import { counted, number } from "./words.js";

/** What somebody should look into, the most urgent first, each with its reason and what helps. */

/** So many groups show at first: what comes below is not pushed away. */
const groupsAtFirst = 5;
/** Mailboxes of so many groups show without a click, where there is room. */
const groupsOpen = 2;

type Drawer = {
  draw(status: Status): void;
  /** What the section shows now, so that only these are looked up. */
  namedIn(status: Status): readonly string[];
};

/** Makes what draws the section in its place. @param refresh Called after an action. */
export function troublesDrawer(place: HTMLElement, refresh: () => void): Drawer {
  let isWhole = false;
  /** As the viewer left them; others are open where they come first and there is room. */
  const opened = new Map<string, boolean>();
  const isRoomy = matchMedia("(min-width: 700px)").matches;
  const isOpen = (group: Group, index: number) => opened.get(groupKey(group)) ?? (isRoomy && index < groupsOpen);
  const shownOf = (status: Status) => groupsOf(status).slice(0, isWhole ? undefined : groupsAtFirst);
  let last = "";
  const draw = (status: Status) => {
    const groups = shownOf(status);
    const count = groupsOf(status).length;
    const until = (status.application ?? status.brake).until;
    const isTryDue = until === null || Date.parse(until) <= Date.parse(status.now);
    const { roster, brake, application } = status;
    const whole = [...applicationCard({ brake, application, isTryDue }, refresh), ...rosterCard(roster, refresh)];
    const cards = groups.map((group, index) => {
      const card = groupCard(group, status, isOpen(group, index), refresh);
      const details = card.querySelector("details");
      const wasOpen = isOpen(group, index);
      // At once: the event `toggle` comes late, and a card that is drawn in between would be folded again.
      details?.querySelector("summary")?.addEventListener("click", () => opened.set(groupKey(group), !details.open));
      details?.addEventListener("toggle", () => {
        if (details.open !== wasOpen) refresh(); // Names of those who show now may not be known.
      });
      return card;
    });
    const onclick = () => {
      isWhole = true;
      draw(status);
      refresh();
    };
    const more =
      count > groups.length
        ? el("button", { id: "troubles-more", onclick }, `Show all ${number(count)} reasons`)
        : null;
    const none = el("p", { class: "empty" }, "Nothing: no mailbox is parked, held, waiting or suspended.");
    // Names, and what was asked for, are part of what is drawn, so the page compares what it would draw.
    const html = [...whole, ...cards].map((card) => card.outerHTML).join("");
    const text = html.replace(/(<time[^>]*>)[^<]*/g, "$1") + String(count); // `updateTimes` keeps times as they are.
    if (text === last) return;
    last = text;
    show(place, ...(cards.length + whole.length === 0 ? [none] : [...whole, ...cards]), more);
  };
  return {
    draw,
    namedIn: (status) =>
      shownOf(status).flatMap((group, index) => (isOpen(group, index) ? group.examples.slice(0, examplesShown) : [])),
  };
}

/** The brake: Graph throttles or refuses all mailboxes. */
function applicationCard(
  { brake, application, isTryDue }: Pick<Status, "brake" | "application"> & { readonly isTryDue: boolean },
  refresh: () => void,
): HTMLElement[] {
  const why = application ?? (brake.isOn ? brake : null);
  if (why === null) return [];
  const untilMs = Date.parse(why.until ?? "");
  const state = isTryDue ? "Throttled" : `Throttled until ${clockTime(untilMs)}`;
  const what = application === null ? `${state}: the whole application` : "Refused: nearly all that were asked";
  const title = el("h3", {}, `${what} · `, el("code", {}, why.code ?? "unknown"));
  const text =
    application === null
      ? "Graph answers 429, or the like: it is asked too much. No mailbox is read until then."
      : `Graph refused nearly all mailboxes that were asked, so none is read, and only one is tried now and then. ${explained(why.code ?? "")} Once one is answered all are read again, parked ones too. If it refuses only some, this ends by itself, and those that are refused for themselves stay parked. Nothing has to be retried by hand.`;
  const next = isTryDue ? "with the next tick" : timeAgo(why.until);
  const times = el("p", {}, "Began ", timeAgo(why.since), ". Next try ", next, ".");
  const lift = el(
    "button",
    { id: "brake-release", "data-acts": true, onclick: () => void liftBrake().then(refresh) },
    "Retry now …",
  );
  return [el("article", { class: "card trouble state-parked" }, title, el("p", {}, text), times, lift)];
}

function rosterCard(
  { held, lastErrorCode, notBefore, source, state, untold }: Status["roster"],
  refresh: () => void,
): HTMLElement[] {
  if (held !== null) {
    const question = {
      title: "Apply the shrink of the roster?",
      text: `${counted(held.leaving, "mailbox", "mailboxes")} of ${number(held.of)} will be suspended: not read and not served. They come back when their users do.`,
      yes: "Suspend them",
    };
    const apply = el(
      "button",
      {
        id: "roster-release",
        "data-acts": true,
        onclick: () =>
          void act(
            question,
            () => api.roster("release"),
            () => "The shrink is being applied.",
          ).then(refresh),
      },
      "Apply it …",
    );
    const until = held.needsRelease
      ? "So few are left that no second reading confirms it: nobody is suspended until you confirm it."
      : "Nobody is suspended until a second reading, or you, confirm it.";
    const text = `The directory suddenly lacks ${number(held.leaving)} of ${number(held.of)} mailboxes. ${until}`;
    return [
      el("article", { class: "card trouble state-held" }, el("h3", {}, "Held: the roster"), el("p", {}, text), apply),
    ];
  }
  if (source === "manual" || lastErrorCode === null) return [];
  const wait = notBefore === null ? null : el("p", {}, "It tries again ", timeAgo(notBefore), ".");
  const what = state === "waiting" ? "Waiting: discovery of the roster · " : "The roster · ";
  const title = el("h3", {}, what, el("code", {}, lastErrorCode));
  const hidden = untold === 0 ? null : el("p", {}, `${counted(untold, "user")} came without properties.`);
  return [
    el("article", { class: "card trouble state-waiting" }, title, el("p", {}, explained(lastErrorCode)), hidden, wait),
  ];
}
