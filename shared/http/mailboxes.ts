import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { addMailbox } from "../roster/byHand.js";
import { manualSource, type RosterRow } from "../store/store.js";
import { mailboxIdOf, newMailboxIdOf } from "../sync/mailboxId.js";
import { type MailboxView, mailboxView } from "../views/mailbox.js";
import { rosterEntryView } from "../views/roster.js";
import { mailboxOfPath } from "./askedMailbox.js";
import { type Answer, answer, type HttpPorts, type Route, refusal } from "./handler.js";
import { bodyOf, mistakeOfEmptyRequest, queryMistake } from "./requests.js";

/** The body of `PUT`. */
export const newMailboxBody = z.strictObject({
  displayName: z.string().max(256).optional(),
  source: z.literal(manualSource).optional(),
});
const expectedBody =
  'empty or {"displayName": "…", "source": "manual"}, each optional, the name with at most 256 characters';

/** Our choice: how long a removal may take within its request. The shard's next run does the rest. */
const removalMsMax = 20_000;

/** `GET`, `PUT`, `DELETE /api/mailboxes/{id}`: one mailbox of the roster. All are idempotent. */
export const mailboxRoute: Route = async (request, ports) => {
  const named = await mailboxFor(request, ports);
  if ("refusal" in named) return named.refusal;
  const mistake = request.method === "PUT" ? queryMistake(request, []) : await mistakeOfEmptyRequest(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  switch (request.method) {
    case "PUT":
      return putMailbox(named.id, request, ports);
    case "DELETE":
      return deleteMailbox(named.id, ports);
    default: {
      const view = await mailboxWithRoster(named.id, ports);
      if (view !== null) return answer(200, view);
      return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
    }
  }
};

/** Only what is read may be named by its user's name: who is added or removed for good, by what stays. */
async function mailboxFor(
  request: HttpRequest,
  ports: HttpPorts,
): Promise<{ readonly id: string } | { readonly refusal: Answer }> {
  const { method } = request;
  if (method !== "PUT" && method !== "DELETE") return mailboxOfPath(request, ports);
  const idOf = method === "PUT" ? newMailboxIdOf : mailboxIdOf;
  const named = idOf(request.params["id"] ?? "", ports.isTrial);
  return "mistake" in named ? { refusal: refusal(400, "invalidRequest", named.mistake) } : named;
}

async function putMailbox(id: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const given = await bodyOf(request, newMailboxBody, expectedBody);
  if ("mistake" in given) return refusal(400, "invalidRequest", given.mistake);
  const { store, newId, nowMs } = ports;
  const end = await addMailbox(id, given.body, store, newId, nowMs());
  if (end.isLeft) {
    const remedy =
      'PUT it with {"source": "manual"} to mirror it by hand all the same: discovery then leaves it alone.';
    return refusal(409, "conflict", `The mailbox ${id} is suspended: its user has left the roster. ${remedy}`);
  }
  return answer(end.isNew ? 201 : 200, (await mailboxWithRoster(id, ports)) ?? mailboxView(end.checkpoint));
}

async function deleteMailbox(id: string, ports: HttpPorts): Promise<Answer> {
  const { store, nowMs } = ports;
  const note = noteOf((await store.roster.read(id))?.row ?? null);
  const untilMs = nowMs() + removalMsMax;
  const end = await store.purgeMailbox(id, { isTimeUp: () => nowMs() >= untilMs });
  const { headers, ...rest } = end === "unfinished" ? answer(202, await mailboxWithRoster(id, ports)) : answer(204);
  return { ...rest, headers: { ...headers, ...note } };
}

/** A header for whoever removes a mailbox that discovery will bring back, as 204 has no body. */
function noteOf(row: RosterRow | null): Readonly<Record<string, string>> {
  if (row === null || row.source === manualSource || row.state === "suspended") return {};
  return {
    "x-mirror-note": `Discovered by ROSTER=${row.source}: it comes back with the next full roster round that finds its user.`,
  };
}

/** The mailbox with its roster entry; null where it is not on the roster. */
async function mailboxWithRoster(id: string, { store }: HttpPorts): Promise<MailboxView | null> {
  const held = await store.readMailbox(id);
  if (held === null) return null;
  return { ...mailboxView(held.checkpoint), roster: rosterEntryView(await store.roster.read(id)) };
}
