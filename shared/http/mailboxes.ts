import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { addMailbox } from "../roster/byHand.js";
import { manualSource, type RosterRow } from "../store/store.js";
import { mailboxIdOf, newMailboxIdOf } from "../sync/mailboxId.js";
import { type MailboxView, mailboxView } from "../views/mailbox.js";
import { rosterEntryView } from "../views/roster.js";
import { mailboxOfPath } from "./askedMailbox.js";
import { type Answer, answer, type HttpPorts, type Route, refusal } from "./handler.js";
import { noteAction } from "./noteAction.js";
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

/** `GET /api/mailboxes/{id}`: one mailbox of the roster, by its id or its user's name. */
export const mailboxRoute: Route = async (request, ports) => {
  const named = await mailboxOfPath(request, ports);
  if ("refusal" in named) return named.refusal;
  const mistake = await mistakeOfEmptyRequest(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const view = await mailboxWithRoster(named.id, ports);
  if (view !== null) return answer(200, view);
  return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
};

/**
 * `PUT`, `DELETE /api/mailboxes/{id}`, both idempotent. A function of their own, for a key that opens what only reads. By id
 * alone: who is added, or removed for good, is named by what stays.
 */
export const mailboxEditRoute: Route = async (request, ports) => {
  const isNew = request.method === "PUT";
  const named = (isNew ? newMailboxIdOf : mailboxIdOf)(request.params["id"] ?? "", ports.isTrial);
  if ("mistake" in named) return refusal(400, "invalidRequest", named.mistake);
  const mistake = isNew ? queryMistake(request, []) : await mistakeOfEmptyRequest(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  return isNew ? putMailbox(named.id, request, ports) : deleteMailbox(named.id, request, ports);
};

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
  await noteAction(request, ports, { action: "add", mailboxId: id });
  return answer(end.isNew ? 201 : 200, (await mailboxWithRoster(id, ports)) ?? mailboxView(end.checkpoint));
}

async function deleteMailbox(id: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const { store, nowMs } = ports;
  const note = noteOf((await store.roster.read(id))?.row ?? null);
  const untilMs = nowMs() + removalMsMax;
  const end = await store.purgeMailbox(id, { isTimeUp: () => nowMs() >= untilMs });
  if (end !== "unknown") await noteAction(request, ports, { action: "remove", mailboxId: id });
  const { headers, ...rest } = end === "unfinished" ? answer(202, await mailboxWithRoster(id, ports)) : answer(204);
  return { ...rest, headers: { ...headers, ...note } };
}

/** A header for whoever removes a mailbox that discovery will bring back, as 204 has no body. */
function noteOf(row: RosterRow | null): Readonly<Record<string, string>> {
  if (row === null || row.source === manualSource || row.state === "suspended") return {};
  return {
    "x-mirror-note": `Discovered by ROSTER=${row.source}: it comes back with the next full pass of discovery that finds its user.`,
  };
}

/** The mailbox with its roster entry; null where it is not on the roster. */
async function mailboxWithRoster(id: string, { store }: HttpPorts): Promise<MailboxView | null> {
  const held = await store.readMailbox(id);
  if (held === null) return null;
  return { ...mailboxView(held.checkpoint), roster: rosterEntryView(await store.roster.read(id)) };
}
