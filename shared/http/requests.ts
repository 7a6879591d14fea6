import type { HttpRequest } from "@azure/functions";
import * as z from "zod";

/** What a request may hold. A parameter or a property that no route reads is refused: a typing error must not pass unseen. */

const nothing = z.strictObject({});

/** Our choice: the characters of a body. A batch of 20 requests with the longest URLs has a third of them. */
const bodyCharsMax = 500_000;

/** The parameters by which the host takes a function key. */
const hostParameters = ["code", "clientId"];

/** What is wrong with the query of a request, in one sentence; null where each parameter is known and given once. */
export function queryMistake(request: { readonly url: string }, known: readonly string[]): string | null {
  const names = [...new URL(request.url).searchParams.keys()].filter((name) => !hostParameters.includes(name));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const taken = known.length === 0 ? "none" : known.join(", ");
    return `The query parameter ${JSON.stringify(unknown.slice(0, 40))} is not known here. Known: ${taken}.`;
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? null : `The query parameter ${twice} must be given once.`;
}

/**
 * The JSON body of a request, or what is wrong with it in one sentence. An empty body is an empty object.
 * The content type does not count.
 * @param expected The body as a caller should write it.
 */
export async function bodyOf<Shape extends z.ZodType>(
  request: HttpRequest,
  shape: Shape,
  expected: string,
): Promise<{ readonly body: z.output<Shape> } | { readonly mistake: string }> {
  const text = await request.text();
  if (text.trim() === "" && isBodyLost(request.headers)) {
    return { mistake: "The body has not arrived: send it with its Content-Length, not in chunks." };
  }
  if (text.length > bodyCharsMax) {
    return { mistake: `The body is too long: ${text.length} characters, of at most ${bodyCharsMax}.` };
  }
  const json = jsonOf(text);
  if (json === undefined) return { mistake: `The body is not JSON. It must be ${expected}.` };
  const parsed = shape.safeParse(json);
  if (parsed.success) return { body: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") || (issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined);
  const where = place === undefined ? "" : ` (see ${JSON.stringify(place.slice(0, 40))})`;
  return { mistake: `The body must be ${expected}${where}.` };
}

/**
 * The host passes a body on only where its Content-Length is given: one that comes in chunks is empty here.
 * @see https://github.com/Azure/azure-functions-host, `ToRpcHttp`: `request.ContentLength > 0`
 */
function isBodyLost(headers: { get(name: string): string | null }): boolean {
  return headers.get("transfer-encoding") !== null;
}

/** For a route that takes neither parameters nor a body: what is wrong with the request, in one sentence; null where it has none. */
export async function mistakeOfEmptyRequest(request: HttpRequest): Promise<string | null> {
  const mistake = queryMistake(request, []);
  if (mistake !== null) return mistake;
  const given = await bodyOf(request, nothing, "empty or {}");
  return "mistake" in given ? given.mistake : null;
}

/** What a body holds, an empty object where it is empty; undefined for text that is no JSON. */
export function jsonOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The caller says so.
  }
}
