import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { addMailbox } from "../roster/byHand.js";
import { manualSource, type RosterRow } from "../store/store.js";
import { mailboxIdOf, newMailboxIdOf } from "../sync/mailboxId.js";
import { mailboxView } from "../views/mailbox.js";
import { seatView } from "../views/roster.js";
import { type Answer, answer, type HttpPorts, type Route, refusal } from "./handler.js";
import { bodyOf, queryMistake, strangerIn } from "./requests.js";

const bodyShape = z.strictObject({
  displayName: z.string().max(256).optional(),
  source: z.literal(manualSource).optional(),
});
const expectedBody = '{"displayName": "…", "source": "manual"}, each optional, the name with at most 256 characters';

/** How long a removal may take within its request. Its rest is left to the shard's next run. */
const removalMsMax = 20_000;

/** `GET`, `PUT`, `DELETE /api/mailboxes/{id}`: one mailbox of the roster. All are idempotent. */
export const mailboxRoute: Route = async (request, ports) => {
  const text = request.params["id"] ?? "";
  const named = request.method === "PUT" ? newMailboxIdOf(text, ports.isTrial) : mailboxIdOf(text, ports.isTrial);
  if ("mistake" in named) return refusal(400, "invalidRequest", named.mistake);
  const mistake = request.method === "PUT" ? queryMistake(request, []) : await strangerIn(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  switch (request.method) {
    case "PUT":
      return putMailbox(named.id, request, ports);
    case "DELETE":
      return deleteMailbox(named.id, ports);
    default: {
      const view = await toldMailbox(named.id, ports);
      if (view !== null) return answer(200, view);
      return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
    }
  }
};

async function putMailbox(id: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const given = await bodyOf(request, bodyShape, expectedBody);
  if ("mistake" in given) return refusal(400, "invalidRequest", given.mistake);
  const { store, newId, nowMs } = ports;
  const end = await addMailbox(id, given.body, store, newId, nowMs());
  if (end.isLeft) {
    const remedy =
      'PUT it with {"source": "manual"} to mirror it by hand all the same: discovery then leaves it alone.';
    return refusal(409, "conflict", `The mailbox ${id} is suspended: its user has left the roster. ${remedy}`);
  }
  return answer(end.isNew ? 201 : 200, (await toldMailbox(id, ports)) ?? mailboxView(end.checkpoint));
}

async function deleteMailbox(id: string, ports: HttpPorts): Promise<Answer> {
  const { store, nowMs } = ports;
  const note = noteOf((await store.roster.read(id))?.row ?? null);
  const untilMs = nowMs() + removalMsMax;
  const end = await store.purgeMailbox(id, { isTimeUp: () => nowMs() >= untilMs });
  const { headers, ...rest } = end === "unfinished" ? answer(202, await toldMailbox(id, ports)) : answer(204);
  return { ...rest, headers: { ...headers, ...note } };
}

/** What a caller should know who removes somebody whom discovery has found: 204 has no body to say it in. */
function noteOf(row: RosterRow | null): Readonly<Record<string, string>> {
  if (row === null || row.source === manualSource || row.state === "suspended") return {};
  return {
    "x-mirror-note": `Discovered by ROSTER=${row.source}: it comes back with the next full roster round that finds its user.`,
  };
}

/** The mailbox as it stands, with who put it on the roster; null when it is not there. */
async function toldMailbox(id: string, { store }: HttpPorts) {
  const held = await store.readMailbox(id);
  return held === null ? null : { ...mailboxView(held.checkpoint), roster: seatView(await store.roster.read(id)) };
}
