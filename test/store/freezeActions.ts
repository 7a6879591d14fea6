import type { Store } from "../../shared/store/store.js";
import { operatorActions } from "../../shared/sync/operatorAction.js";

/** Leaves one row of each action, by each kind of actor in turn. */
export async function freezeActions(store: Store, mailboxId: string, nowMs: number): Promise<void> {
  const actors = [
    { kind: "user", name: "Zoë Young" },
    { kind: "key", name: "0123abcd" },
    { kind: "nobody", name: null },
  ] as const;
  for (const [index, action] of operatorActions.entries()) {
    const actor = actors[index % actors.length] ?? { kind: "nobody", name: null };
    const isOfMany = action === "releaseMany";
    const isOfSubscription = action.endsWith("Subscription");
    const isOfOne =
      !isOfMany &&
      !isOfSubscription &&
      action !== "releaseBrake" &&
      action !== "discover" &&
      action !== "releaseRoster";
    await store.noteAction({
      atMs: nowMs + index,
      action,
      actor,
      mailboxId: isOfOne ? mailboxId : null,
      subject: isOfMany ? "denied:ErrorAccessDenied" : isOfSubscription ? "subscription" : null,
      count: isOfMany ? 27 : null,
    });
  }
}
