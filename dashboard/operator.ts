import type { ActorView } from "../shared/views/actionSchema.js";
import { ApiError, api } from "./api.js";
import { byId, el } from "./dom.js";

/**
 * Who looks, and whether they may act. A key that only reads does not open the route that says so. Whatever acts has the
 * attribute `data-acts`: it is there for those who may, and not before that is known.
 */

type Standing = "unknown" | "acts" | "reads";
let state: Standing = "unknown";

/**
 * What an answer of the route says of who asks. @param status Of HTTP; 0: there was no answer.
 * @internal For tests.
 */
export function standingBy(status: number): Standing {
  if (status === 200) return "acts";
  return status === 401 || status === 403 ? "reads" : "unknown";
}

/** Asks who looks, until that is known. @throws what is no ApiError */
export async function learnOperator(): Promise<void> {
  if (state !== "unknown") return;
  try {
    const actor = await api.get<ActorView>("operator");
    state = standingBy(200);
    draw(actor);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    state = standingBy(error.status);
    if (state !== "unknown") draw(null); // Else the next reading of the status tries anew.
  }
}

/** Another key may be another's. */
export function forgetOperator(): void {
  state = "unknown";
  draw(null);
}

/** Whether this key only reads, as far as that is known. */
export function onlyReads(): boolean {
  return state === "reads";
}

/** An actor in words. */
export function actorText({ kind, name }: ActorView): string {
  if (kind === "user") return name ?? "somebody who has signed in";
  return kind === "key" ? `key ${name ?? ""}` : "somebody without a key";
}

function draw(actor: ActorView | null): void {
  document.body.classList.toggle("may-act", state === "acts");
  const place = byId("operator");
  byId("reads-only").hidden = state !== "reads";
  if (actor === null || actor.kind === "nobody") place.replaceChildren();
  else place.replaceChildren("What you do is noted as ", el("b", { class: "wrap" }, actorText(actor)), ".");
}
