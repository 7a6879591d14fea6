import { ApiError } from "./api.js";
import { byId, onceClosed, openModal } from "./dom.js";
import { onlyReads } from "./operator.js";

/** How long a message is shown: long enough to be read. */
const shownMs = 8_000;
let hideTimer = 0;

/** How many questions were asked. */
let asked = 0;

export type Question = { readonly title: string; readonly text: string; readonly yes: string };

/** Asks in a dialog. The focus goes back to where it was. */
function confirmed({ title, text, yes }: Question): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  const mine = ++asked;
  return new Promise((resolve) => {
    // One that was left a moment ago may hear of its closing only now: the answer is to the newest.
    onceClosed(dialog, () => resolve(mine === asked && dialog.returnValue === "yes"));
    openModal(dialog);
  });
}

/** Shows a short message for a while, also to screen readers. */
function announce(text: string): void {
  const message = byId("said");
  // What lies behind an open dialog is out of reach, for eyes and for screen readers.
  (document.querySelector("dialog[open]") ?? document.body).append(message);
  message.textContent = text;
  clearTimeout(hideTimer);
  hideTimer = window.setTimeout(() => {
    message.textContent = "";
  }, shownMs);
}

/** Asks for confirmation, does it, and announces what came of it. True when it was done. */
export async function act<Answer>(
  question: Question,
  doIt: () => Promise<Answer>,
  done: (answer: Answer) => string,
): Promise<boolean> {
  if (onlyReads()) {
    announce("Your key only reads.");
    return false;
  }
  if (!(await confirmed(question))) return false;
  try {
    announce(done(await doIt()));
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.message);
    return false;
  }
}
