import { api, type Status } from "./api.js";
import { act } from "./confirm.js";
import { calledBy } from "./names.js";
import { counted, number } from "./words.js";

/** What an operator can do. Each action is confirmed first, and what came of it is shown. True when it was done. */

let isBraked = false;

/** Keeps in mind whether Graph throttles or refuses the whole application: no mailbox is read meanwhile, whatever was clicked. */
export function noteBrake({ brake, application }: Pick<Status, "brake" | "application">): void {
  isBraked = brake.isOn || application !== null;
}

const whenRead = (text: string) => (isBraked ? "Noted. Nobody is read before the brake is over." : text);

/** Reads one mailbox now. */
export function syncMailbox(id: string): Promise<boolean> {
  const text = `${calledBy(id)} is read now, whatever it waits for.`;
  return act(
    { title: "Read this mailbox now?", text, yes: "Read it" },
    () => api.act(id, "sync"),
    () => whenRead("It is being read."),
  );
}

/** Starts over with a full round of one mailbox. */
export function resyncMailbox(id: string): Promise<boolean> {
  const text = `All calendars of ${calledBy(id)} are read anew. Readers keep what they have until that is done.`;
  const question = { title: "Start over with a full round?", text, yes: "Start over" };
  return act(
    question,
    () => api.act(id, "resync"),
    () => whenRead("A full round has begun."),
  );
}

/** Ends parking, holding and waiting of one mailbox. */
export function releaseMailbox(id: string): Promise<boolean> {
  const text = `What ${calledBy(id)} is parked, held or waiting for is over, and it is read now. If the cause is still there, it comes back here.`;
  return act(
    { title: "Release this mailbox?", text, yes: "Release it" },
    () => api.act(id, "release"),
    () => whenRead("It is released, and being read."),
  );
}

/** Releases all mailboxes that are parked or waiting for one reason. Many of them take several requests, and `progress` is told of each. */
export function releaseAll(reason: string, count: number, progress: (text: string) => void): Promise<boolean> {
  const text = `${counted(count, "mailbox", "mailboxes")} with ${reason} are asked again in the next tick. If the cause is still there, they come back here.`;
  return act(
    { title: "Release all with this reason?", text, yes: "Release them" },
    async () => {
      let released = 0;
      for (let cursor: string | null = null; ; ) {
        const page: Awaited<ReturnType<typeof api.releaseAll>> = await api.releaseAll(reason, cursor);
        released += page.released;
        progress(`Releasing: ${number(released)} of ${number(count)} …`);
        if (page.cursor === null) return released;
        cursor = page.cursor;
      }
    },
    (released) =>
      released === 0
        ? "Nobody has this reason any more."
        : whenRead(`${number(released)} released; the next tick reads them.`),
  );
}

/** Lifts the brake for the whole application. */
export function liftBrake(): Promise<boolean> {
  const text = "The next tick asks Graph for all mailboxes again. If the cause is still there, the brake comes back.";
  return act(
    { title: "Lift the brake?", text, yes: "Lift it" },
    () => api.liftBrake(),
    ({ lifted }) => (lifted ? "The brake is lifted. The next tick asks again." : "The brake was over already."),
  );
}
