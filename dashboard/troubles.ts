import { liftBrake, releaseAll, releaseMailbox } from "./actions.js";
import { mailboxHref } from "./address.js";
import { api, type Status } from "./api.js";
import { act } from "./confirm.js";
import { changeOnly, el, show } from "./dom.js";
import { calledBy, examplesShown, namedAs, namedIn, nameOf } from "./names.js";
import { timeAgo } from "./times.js";
import { counted, explained, number, states } from "./words.js";

/** What somebody should look into, the most urgent first, each with its reason and what helps. */

const shown = ["parked", "held", "waiting", "suspended"] as const;

type Shown = Pick<Status, "troubles" | "roster" | "brake" | "application"> & {
  /** The next tick tries whether the brake is over. */
  readonly isTryDue: boolean;
  /** What the mailboxes that are named are called by now. */
  readonly names: readonly string[];
};
type Trouble = Status["troubles"][(typeof shown)[number]][number];

/** Makes the function that draws the section in its place. @param refresh Called after an action. */
export function troublesDrawer(place: HTMLElement, refresh: () => void): (status: Status) => void {
  const draw = changeOnly(({ troubles, roster, brake, application, isTryDue }: Shown) => {
    const code = application?.code ?? null;
    const isPart = ({ reason }: Trouble) => code !== null && (reason === code || reason.endsWith(`:${code}`));
    const cards = shown.flatMap((state) =>
      troubles[state].map((trouble) => troubleCard(state, trouble, isPart(trouble), refresh)),
    );
    const wholeCards = [...applicationCard({ brake, application, isTryDue }, refresh), ...rosterCard(roster, refresh)];
    const none = el("p", { class: "empty" }, "Nothing: every mailbox is read as it should be.");
    show(place, ...(cards.length + wholeCards.length === 0 ? [none] : [...wholeCards, ...cards]));
  });
  return (status) => {
    const { troubles, roster, brake, application, now } = status;
    const until = (application ?? brake).until;
    const isTryDue = until === null || Date.parse(until) <= Date.parse(now);
    draw({ troubles, roster, brake, application, isTryDue, names: namedIn(status).map(calledBy) });
  };
}

/** The brake, which concerns all mailboxes. */
function applicationCard(
  { brake, application, isTryDue }: Pick<Shown, "brake" | "application" | "isTryDue">,
  refresh: () => void,
): HTMLElement[] {
  const why = application ?? (brake.isOn ? brake : null);
  if (why === null) return [];
  const state = application === null ? "Throttled" : "Refused";
  const title = el("h3", {}, `${state}: the whole application · `, el("code", {}, why.code ?? "unknown"));
  const text =
    application === null
      ? "Graph says that it is asked too much. No mailbox is read until the brake is over."
      : `Graph refuses whatever mailbox is asked. ${explained(why.code ?? "")} One mailbox is tried at a time; once it is answered all are read again, parked ones too. Nothing has to be released.`;
  const next = isTryDue ? "with the next tick" : timeAgo(why.until);
  const times = el("p", {}, "Began ", timeAgo(why.since), ". Next try ", next, ".");
  const lift = el(
    "button",
    { id: "brake-release", "data-acts": true, onclick: () => void liftBrake().then(refresh) },
    "Lift the brake …",
  );
  return [el("article", { class: "card trouble state-parked" }, title, el("p", {}, text), times, lift)];
}

/** @param isPart The reason is the refusal of the whole application, which ends without a release. */
function troubleCard(
  state: (typeof shown)[number],
  { reason, count, examples }: Trouble,
  isPart: boolean,
  refresh: () => void,
): HTMLElement {
  const list = el("ul", { class: "examples" });
  for (const id of examples.slice(0, examplesShown)) {
    const named = namedAs(id);
    const looks = nameOf(named) === id ? "id" : null;
    const open = el("a", { id: `trouble-${id}`, class: looks, title: id, href: mailboxHref(id) }, calledBy(id));
    const release = el(
      "button",
      {
        id: `release-${id}`,
        "data-acts": true,
        "aria-label": `Release ${calledBy(id)}`,
        onclick: () => void releaseMailbox(id).then(refresh),
      },
      "Release",
    );
    list.append(el("li", {}, open, state === "suspended" || isPart ? null : release));
  }
  const more = count - Math.min(count, examplesShown);
  return el(
    "article",
    { class: `card trouble state-${state}` },
    el("h3", {}, `${states[state].label}: `, el("code", {}, reason), ` · ${counted(count, "mailbox", "mailboxes")}`),
    el("p", {}, isPart ? "Read again once the whole application is answered." : explained(reason)),
    list,
    more > 0 ? el("p", { class: "more" }, `and ${number(more)} more`) : null,
    isPart ? null : allButton(state, reason, count, refresh),
  );
}

/** Releases all mailboxes with one reason; only where there are several and a release can help. */
function allButton(
  state: (typeof shown)[number],
  reason: string,
  count: number,
  refresh: () => void,
): HTMLElement | null {
  if (count < 2 || (state !== "parked" && state !== "waiting") || reason === "other") return null;
  const onclick = () => void releaseAll(reason, count).then(refresh);
  return el(
    "button",
    { id: `release-all-${state}-${reason}`, "data-acts": true, onclick },
    `Release all ${number(count)} …`,
  );
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
