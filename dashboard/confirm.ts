import { ApiError } from "./api.js";
import { byId, openModal } from "./dom.js";

/** Long enough to be read; what was said is old news soon after. */
const saidMs = 8_000;
let forgetTimer = 0;

export type Question = { readonly title: string; readonly text: string; readonly yes: string };

/** Asks in a dialog. The focus goes back to where it was. */
function confirmed({ title, text, yes }: Question): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    openModal(dialog);
  });
}

/** Tells what came of an action, also to screen readers. */
export function say(text: string): void {
  const said = byId("said");
  // What lies behind an open dialog is out of reach, for eyes and for screen readers.
  (document.querySelector("dialog[open]") ?? document.body).append(said);
  said.textContent = text;
  clearTimeout(forgetTimer);
  forgetTimer = window.setTimeout(() => {
    said.textContent = "";
  }, saidMs);
}

/** Asks, does, and tells what came of it. True when it was done. */
export async function act<Answer>(
  question: Question,
  doIt: () => Promise<Answer>,
  done: (answer: Answer) => string,
): Promise<boolean> {
  if (!(await confirmed(question))) return false;
  try {
    say(done(await doIt()));
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(error.message);
    return false;
  }
}
