import type { ReplayedView, SubscribersView, SubscriberView } from "../shared/views/subscriberSchema.js";
import { type Api, ApiError, api, type Status } from "./api.js";
import { act } from "./confirm.js";
import { changeOnly, el, show } from "./dom.js";
import { timeAgo } from "./times.js";
import { counted, span } from "./words.js";

/** The list of subscribers. Nothing is asked for where nobody has subscribed. */

type Action = "pause" | "resume";
const pathOf = ({ id }: SubscriberView, action: string) => `subscribers/${encodeURIComponent(id)}/${action}`;

/** How far back a replay goes, by the choices that are offered, in hours. */
const replayHours = [1, 6, 24, 24 * 7] as const;
const hourSeconds = 3_600;

/**
 * Makes the function that draws the list, from a status and what it then reads.
 * @param reading What is asked for the list; its calls end with the view.
 * @param refresh Called after an action.
 */
export function subscribersDrawer(
  place: HTMLElement,
  reading: Api,
  refresh: () => void,
): (status: Status) => Promise<void> {
  let isStale = true;
  let seen = "";
  const again = (isDone: boolean) => {
    if (!isDone) return;
    isStale = true;
    refresh();
  };
  const trouble = el("p", { class: "empty", hidden: true });
  const list = el("div");
  place.append(trouble, list);
  const draw = changeOnly((all: readonly SubscriberView[]) => {
    const nobody = el("p", { class: "empty" }, "Nobody has subscribed to changes of calendars.");
    show(list, ...(all.length === 0 ? [nobody] : all.map((one) => card(one, again))));
  });
  return async ({ subscribers, ticks }) => {
    const now = JSON.stringify([subscribers, ticks.newest]);
    if (now === seen && !isStale) return;
    isStale = true;
    try {
      draw(subscribers.total === 0 ? [] : (await reading.get<SubscribersView>("subscribers")).value);
      seen = now;
      isStale = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      trouble.textContent = error.message;
    }
    trouble.hidden = !isStale;
  };
}

const labels = { active: "Active", waiting: "Waiting", paused: "Paused" } as const;

function card(one: SubscriberView, again: (isDone: boolean) => void): HTMLElement {
  const { id, host, state, resource } = one;
  const isFine = state === "active" && one.failuresInARow === 0;
  const of = `the subscriber ${host}`;
  const button = (action: string, label: string, doIt: () => Promise<boolean>) =>
    el(
      "button",
      {
        id: `${action}-${id}`,
        "data-acts": true,
        "aria-label": `${label} ${of}`,
        onclick: () => void doIt().then(again),
      },
      `${label} …`,
    );
  return el(
    "article",
    {
      id: `subscriber-${id}`,
      class: `card trouble state-${isFine ? "fresh" : state === "paused" ? "parked" : "waiting"}`,
    },
    el("h2", {}, `${labels[state]}: `, el("code", {}, host)),
    el("p", {}, resource, " · ", one.format, " · ends ", timeAgo(one.expires), " · ", el("span", { class: "id" }, id)),
    ...standing(one),
    el(
      "div",
      { class: "buttons" },
      state === "paused" ? null : button("pause", "Pause", () => pause(one)),
      isFine ? null : button("resume", "Resume", () => resume(one)),
      button("replay", "Replay", () => replay(one, hoursChosen(id))),
      hours(id, of),
    ),
  );
}

function standing({
  behind,
  pausedReason,
  pausedSince,
  lastAnswer,
  notBefore,
  failuresInARow,
  missed,
  lastMissed,
}: SubscriberView) {
  const why =
    pausedReason === "byHand"
      ? "By hand: nothing is sent until it is resumed. Paused "
      : "It has answered for a day that there is nobody. Paused ";
  return [
    pausedReason === null ? null : el("p", {}, why, timeAgo(pausedSince), "."),
    behind === null
      ? el("p", {}, "Has said yes to all that is logged.")
      : el("p", {}, `Behind by ${counted(behind.rows, "row")} of the logs, the oldest of `, timeAgo(behind.since), "."),
    lastAnswer === null
      ? null
      : el("p", {}, "Last answer ", el("code", {}, lastAnswer.answer), " ", timeAgo(lastAnswer.at), "."),
    notBefore === null
      ? null
      : el("p", {}, `${counted(failuresInARow, "failure")} in a row; tried again `, timeAgo(notBefore), "."),
    lastMissed === null ? null : el("p", {}, "Missed something ", timeAgo(lastMissed.at), `. ${lastMissed.why}`),
    missed === null ? null : el("p", {}, "It is still to be told so."),
  ].filter((line) => line !== null);
}

function hours(id: string, of: string): HTMLElement {
  const options = replayHours.map((count) => el("option", { value: count }, `the last ${span(count * hourSeconds)}`));
  return el(
    "select",
    { id: `since-${id}`, "data-acts": true, "aria-label": `How much to replay to ${of}` },
    ...options,
  );
}

/** What is chosen when the button is pressed; a redrawn list begins with the first. */
function hoursChosen(id: string): number {
  const chosen = document.getElementById(`since-${id}`);
  return chosen instanceof HTMLSelectElement ? Number(chosen.value) : replayHours[0];
}

function pause(one: SubscriberView): Promise<boolean> {
  const text = `Nothing is sent to ${one.host} until it is resumed here. What it is owed stays in the logs, as long as they reach back.`;
  const question = { title: "Pause this subscriber?", text, yes: "Pause it" };
  return act(
    question,
    () => post(one, "pause"),
    () => "It is paused.",
  );
}

function resume(one: SubscriberView): Promise<boolean> {
  const text = `${one.host} is told now what it has not said yes to. If it still does not answer, it waits again.`;
  const question = { title: "Resume this subscriber?", text, yes: "Resume it" };
  return act(
    question,
    () => post(one, "resume"),
    () => "It is resumed.",
  );
}

function replay(one: SubscriberView, hoursBack: number): Promise<boolean> {
  const back = span(hoursBack * hourSeconds);
  const text = `All that was logged in the last ${back} is told to ${one.host} once more, under the same ids.`;
  const since = new Date(Date.now() - hoursBack * hourSeconds * 1_000).toISOString();
  return act(
    { title: "Tell this subscriber again?", text, yes: "Tell it again" },
    () => api.post<ReplayedView>(`${pathOf(one, "replay")}?since=${encodeURIComponent(since)}`),
    ({ goesBackTo }) => {
      if (goesBackTo === null) return "It is told once more.";
      return `It is told once more what the logs hold: some begin at ${new Date(goesBackTo).toLocaleString()}.`;
    },
  );
}

function post(one: SubscriberView, action: Action): Promise<SubscriberView> {
  return api.post<SubscriberView>(pathOf(one, action));
}
