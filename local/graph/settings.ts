import { accessDenied, answerJson, methodNotAllowed, noMailbox } from "./answers.js";
import type { Mailbox } from "./mailbox.js";
import type { UserRef } from "./route.js";
import type { Answer, ResourceRequest } from "./types.js";
import type { World } from "./world.js";

/** What a mailbox is for: the one of its settings that is served. Needs `MailboxSettings.Read`. */
export function answerUserPurpose(world: World, request: ResourceRequest, user: UserRef, mailbox: Mailbox): Answer {
  if (request.method !== "GET") return methodNotAllowed();
  if (!world.switches.isMailboxSettingsGranted || mailbox.state.kind === "denied") return accessDenied();
  if (mailbox.state.kind === "gone") return noMailbox(mailbox.state.code);
  if (!hasMailbox(world, mailbox)) return noMailbox("MailboxNotEnabledForRESTAPI");
  const of = `users('${encodeURIComponent(user.id ?? "me")}')/mailboxSettings/userPurpose`;
  const context = `${world.switches.publicRoot}/${request.version}/$metadata#${of}`;
  return answerJson({ "@odata.context": context, value: mailbox.purpose });
}

/** Guests, and users without an address, have no mailbox, as the directory stands now. */
function hasMailbox(world: World, { index }: Mailbox): boolean {
  const user = world.mailboxes.user(index);
  return user !== null && user.userType !== "Guest" && user.mail !== null && user.mail !== "";
}
