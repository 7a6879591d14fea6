import { api } from "./api.js";
import { act } from "./confirm.js";

/** What an operator can do for one mailbox: asked first, then told. */

export function syncMailbox(id: string): Promise<boolean> {
  const text = `${id} is read now, whatever it waits for.`;
  return act(
    { title: "Read this mailbox now?", text, yes: "Read it" },
    () => api.care(id, "sync"),
    "It is being read.",
  );
}

export function resyncMailbox(id: string): Promise<boolean> {
  const text = `All calendars of ${id} are read anew. Readers keep what they have until that is done.`;
  const question = { title: "Start over with a full round?", text, yes: "Start over" };
  return act(question, () => api.care(id, "resync"), "A full round has begun.");
}

export function releaseMailbox(id: string): Promise<boolean> {
  const text = `What ${id} is parked, held or waiting for is over, and it is read now. If the cause is still there, it comes back here.`;
  return act(
    { title: "Release this mailbox?", text, yes: "Release it" },
    () => api.care(id, "release"),
    "It is released, and being read.",
  );
}
