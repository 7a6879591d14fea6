import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { addMailbox, findMailbox, mailboxIdOf } from "../mirror/roster.js";
import { seatView } from "../mirror/rosterView.js";
import { type Answer, answer, type Route, refusal } from "./handler.js";

const bodyShape = z.strictObject({ displayName: z.string().max(256).optional() });

/** How long a removal may take within its request. Its rest is left to the shard's next run. */
const removalMsMax = 20_000;

/** `GET`, `PUT`, `DELETE /api/mailboxes/{id}`: one mailbox of the roster. All are idempotent. */
export const mailboxRoute: Route = async (request, { store, newId, nowMs, isTrial }) => {
  const named = mailboxIdOf(request.params["id"] ?? "", isTrial);
  if ("mistake" in named) return refusal(400, "invalidRequest", named.mistake);
  switch (request.method) {
    case "PUT": {
      const body = await bodyOf(request);
      if ("refused" in body) return body.refused;
      const { isNew, view } = await addMailbox(named.id, body.displayName, store, newId, nowMs());
      return answer(isNew ? 201 : 200, view);
    }
    case "DELETE": {
      const untilMs = nowMs() + removalMsMax;
      const end = await store.purgeMailbox(named.id, { isTimeUp: () => nowMs() >= untilMs });
      return end === "unfinished" ? answer(202, await findMailbox(named.id, store)) : answer(204);
    }
    default: {
      const view = await findMailbox(named.id, store);
      if (view !== null) return answer(200, { ...view, roster: seatView(await store.roster.read(named.id)) });
      return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
    }
  }
};

type Body = { readonly displayName: string | null } | { readonly refused: Answer };

/** The body is optional. What cannot be read is refused: a typing error must not pass as "no display name". */
async function bodyOf(request: HttpRequest): Promise<Body> {
  const text = await request.text();
  if (text.trim() === "") return { displayName: null };
  const parsed = bodyShape.safeParse(jsonOf(text));
  if (parsed.success) return { displayName: parsed.data.displayName ?? null };
  const mistake = 'The body must be empty or {"displayName": "…"} with at most 256 characters.';
  return { refused: refusal(400, "invalidRequest", mistake) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: the shape refuses it and says what is expected.
  }
}
