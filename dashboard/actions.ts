import { api, type MailboxView, type Status } from "./api.js";
import { act } from "./confirm.js";
import { calledBy } from "./names.js";
import { counted, number } from "./words.js";

/** What an operator can do. Each action is confirmed first, and what came of it is shown. True when it was done. */

let isBraked = false;

/** Keeps in mind whether Graph throttles or refuses the whole application: no mailbox is read meanwhile, whatever was clicked. */
export function noteBrake({ brake, application }: Pick<Status, "brake" | "application">): void {
  isBraked = brake.isOn || application !== null;
}

const whenRead = (text: string) =>
  isBraked ? "Noted. Nobody is read before Graph answers the application again." : text;

/** Starts a sync (a round) of one mailbox now. */
export function syncMailbox(id: string): Promise<boolean> {
  const text = `${calledBy(id)} is read now, whatever it waits for. What is served stays meanwhile.`;
  return act(
    { title: "Sync this mailbox now?", text, yes: "Sync it" },
    () => api.act(id, "sync"),
    () => whenRead("It is being synced."),
  );
}

/** Starts over with a full sync (a full round) of one mailbox. */
export function resyncMailbox(id: string): Promise<boolean> {
  const text = `All calendars of ${calledBy(id)} are read anew. Readers keep what they have until that is done.`;
  const question = { title: "Start over with a full sync?", text, yes: "Start over" };
  return act(
    question,
    () => api.act(id, "resync"),
    () => whenRead("A full sync has begun."),
  );
}

/** Releases one mailbox: ends parking, holding and waiting. */
export function releaseMailbox(id: string): Promise<boolean> {
  const text = `What ${calledBy(id)} is parked, held or waiting for is over, and it is read now. If the cause is still there, it comes back here.`;
  return act(
    { title: "Retry this mailbox now?", text, yes: "Retry it" },
    () => api.act(id, "release"),
    () => whenRead("It is being retried."),
  );
}

/** Releases all mailboxes that are parked or waiting for one reason. Many of them take several requests, and `progress` is told of each. */
export function releaseAll(reason: string, count: number, progress: (text: string) => void): Promise<boolean> {
  const text = `${counted(count, "mailbox", "mailboxes")} with ${reason} are asked again in the next tick. If the cause is still there, they come back here.`;
  return act(
    { title: "Retry all with this reason now?", text, yes: "Retry them" },
    async () => {
      let released = 0;
      for (let cursor: string | null = null; ; ) {
        const page: Awaited<ReturnType<typeof api.releaseAll>> = await api.releaseAll(reason, cursor);
        released += page.released;
        progress(`Retrying: ${number(released)} of ${number(count)} …`);
        if (page.cursor === null) return released;
        cursor = page.cursor;
      }
    },
    (released) =>
      released === 0
        ? "Nobody has this reason any more."
        : whenRead(`${counted(released, "mailbox is", "mailboxes are")} retried with the next tick.`),
  );
}

/** Lifts the brake for the whole application. */
export function liftBrake(): Promise<boolean> {
  const text =
    "The next tick asks Graph for all mailboxes again. If the cause is still there, Graph throttles or refuses them again.";
  return act(
    { title: "Retry the whole application now?", text, yes: "Retry it" },
    () => api.liftBrake(),
    ({ lifted }) => (lifted ? "The next tick asks Graph again." : "It was over already."),
  );
}

/** Mirrors a suspended mailbox by hand, whatever the directory says. */
export function resumeMailbox(id: string): Promise<boolean> {
  const text = `${calledBy(id)} is mirrored by hand from now on: discovery leaves it alone, and it stays until somebody removes it.`;
  return act(
    { title: "Mirror this mailbox by hand?", text, yes: "Mirror it" },
    () => api.put<MailboxView>(`mailboxes/${encodeURIComponent(id)}`, { source: "manual" }),
    () => whenRead("It is mirrored again; the next tick reads it."),
  );
}

/** Takes a mailbox off the roster, with all its rows. */
export function removeMailbox(id: string): Promise<boolean> {
  const text = `All that the mirror holds of ${calledBy(id)} is deleted, and nobody is served it any more. Graph's calendars stay as they are. One that discovery has found comes back with the next full pass of discovery.`;
  return act(
    { title: "Remove this mailbox?", text, yes: "Remove it" },
    () => api.remove<MailboxView | null>(`mailboxes/${encodeURIComponent(id)}`),
    (left) => (left === null ? "It is removed." : "It is being removed."),
  );
}

/** Puts a mailbox on the roster. @param name Empty: as the directory says, or none. */
export function addMailbox(id: string, name: string): Promise<boolean> {
  const text = `${id} is read with the next tick. If it is new here, it is kept by hand: it stays until somebody removes it.`;
  return act(
    { title: "Add this mailbox?", text, yes: "Add it" },
    () => api.put<MailboxView>(`mailboxes/${encodeURIComponent(id)}`, name === "" ? {} : { displayName: name }),
    () => whenRead("It is on the roster; the next tick reads it."),
  );
}

/** Looks for users who joined or left. */
export function discoverNow(): Promise<boolean> {
  const text = "The directory, or the group, is read now: who joined is added, who left is suspended.";
  return act(
    { title: "Discover mailboxes now?", text, yes: "Discover them" },
    () => api.roster("discover"),
    ({ notBefore }) => (notBefore === null ? "Discovery has begun." : "Noted. Graph asked for a wait first."),
  );
}

/** What was asked for, until it shows. */
export const actionText = {
  sync: "Sync asked for",
  resync: "Full sync asked for",
  release: "Retry asked for",
  resume: "Asked to be mirrored by hand",
} as const;
