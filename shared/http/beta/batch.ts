import { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { type Answer, type AnswerAlone, type Route, refusal } from "../handler.js";
import { bodyOf } from "../requests.js";
import { odataHeaders } from "./odata.js";

/** The requests are Graph's limit, a URL's characters that of the first line of a request that comes alone, with the host's server. */
export const batchLimits = { requestsMax: 20, urlCharsMax: 8_192 } as const;
const { requestsMax, urlCharsMax } = batchLimits;

const oneShape = z.object({
  id: z.string().min(1).max(256),
  method: z.string().min(1).max(16),
  url: z.string().min(1).max(urlCharsMax),
  headers: z.record(z.string(), z.string()).nullish(),
  body: z.unknown().optional(),
  dependsOn: z.array(z.string()).max(requestsMax).nullish(),
});
type One = z.infer<typeof oneShape>;
const batchShape = z.object({ requests: z.array(oneShape).min(1).max(requestsMax) });
const expected = `{"requests": [{"id": "1", "method": "GET", "url": "/users/{id}/calendars"}, …]}, ${requestsMax} requests at most`;

/** What a request of a batch was answered. */
type OneAnswer = {
  readonly id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/**
 * `POST /api/beta/$batch`: up to 20 requests in one, each answered as if it had come alone, in the order in which they were
 * given. One whose `dependsOn` was refused is 424.
 * @param route Answers one of them.
 * @see https://learn.microsoft.com/graph/json-batching
 */
export async function answerBatch(
  { root }: { readonly root: string },
  request: HttpRequest,
  route: Route,
  alone: AnswerAlone,
): Promise<Answer> {
  const given = await bodyOf(request, batchShape, expected);
  if ("mistake" in given) return refusal(400, "BadRequest", given.mistake);
  const { requests } = given.body;
  const byId = new Map(requests.map((one) => [one.id.toLowerCase(), one]));
  const mistake = mistakeIn(requests, byId);
  if (mistake !== null) return refusal(400, "BadRequest", mistake);
  const answers = new Map<string, Promise<OneAnswer>>();
  const answerOf = (one: One): Promise<OneAnswer> => {
    const key = one.id.toLowerCase();
    const known = answers.get(key) ?? afterOthers(one);
    answers.set(key, known);
    return known;
  };
  const afterOthers = async (one: One): Promise<OneAnswer> => {
    const others = (one.dependsOn ?? []).flatMap((id) => byId.get(id.toLowerCase()) ?? []);
    const before = await Promise.all(others.map(answerOf));
    const inner = innerRequest(one, root, request);
    if (before.some(({ status }) => status >= 400))
      return answerIn(one, await alone(async () => failedDependency, request));
    if ("refusal" in inner) return answerIn(one, await alone(async () => inner.refusal, request));
    return answerIn(one, await alone(route, inner.request));
  };
  return { status: 200, headers: odataHeaders, jsonBody: { responses: await Promise.all(requests.map(answerOf)) } };
}

/** What is wrong with the batch as a whole, in one sentence; null where it can be answered. */
function mistakeIn(requests: readonly One[], byId: ReadonlyMap<string, One>): string | null {
  const named = (id: string) => JSON.stringify(id.slice(0, 40));
  const [twice] = requests.filter((one) => byId.get(one.id.toLowerCase()) !== one);
  if (twice !== undefined)
    return `The id ${named(twice.id)} is given to more than one request; upper and lower case are alike.`;
  const waiting = new Map(
    requests.map((one) => [one.id.toLowerCase(), (one.dependsOn ?? []).map((id) => id.toLowerCase())]),
  );
  const lost = [...waiting.values()].flat().find((id) => !waiting.has(id));
  if (lost !== undefined) return `dependsOn names ${named(lost)}, which is no request of this batch.`;
  // Take away, again and again, requests that wait for none of those left: a circle stays.
  for (let before = -1; before !== waiting.size; ) {
    before = waiting.size;
    for (const [id, others] of waiting) if (!others.some((other) => waiting.has(other))) waiting.delete(id);
  }
  const [inCircle] = waiting.keys();
  return inCircle === undefined ? null : `The request ${named(inCircle)} waits by dependsOn for itself.`;
}

/** Headers of a request in a batch that mean anything here; no other is taken from it, least of all those of the platform. */
const ownHeaders = ["accept", "client-request-id", "if-none-match", "prefer"];
/** Headers that all requests of a batch take from the batch: how it came, and who App Service Authentication says has sent it. */
const sharedHeaders = ["x-forwarded-proto", "x-ms-client-principal", "x-ms-client-principal-idp"];

/**
 * What may stand before the path. Graph's client for .NET cuts five characters off the path of its base URL, whatever they are, so
 * `beta/` stays of ours; others cut off the host alone.
 * @see findings/graph-dotnet-batch-cuts-path.sh
 */
const leading = /^\/*(?:(?:api\/)?beta\/)?/i;

type Inner = { readonly request: HttpRequest } | { readonly refusal: Answer };

/** The request as if it had come alone, or why there is none: its URL is none below `root`, or HTTP has no such request. */
function innerRequest({ method, url, headers, body }: One, root: string, outer: HttpRequest): Inner {
  const base = `${new URL(outer.url).origin}${root}/`;
  const text = `${base}${url.replace(leading, "")}`;
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) || !URL.canParse(text) || !new URL(text).href.startsWith(base)) {
    return badRequest(`url must be relative to ${root}, such as /users/{id}/calendars.`);
  }
  const own = Object.entries(headers ?? {}).filter(([name]) => ownHeaders.includes(name.toLowerCase()));
  const shared = sharedHeaders
    .map((name) => [name, outer.headers.get(name)] as const)
    .filter(([, value]) => value !== null);
  const all = Object.fromEntries([...own, ...shared]) as Record<string, string>;
  try {
    const content = body == null || /^(?:get|head)$/i.test(method) ? {} : { body: { string: JSON.stringify(body) } };
    return { request: new HttpRequest({ url: text, method: method.toUpperCase() as "GET", headers: all, ...content }) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // So says `Request` of TRACE, CONNECT and what is no token, and of line breaks and letters above U+00FF in a header.
    return badRequest("The method, or the text of a header, is none that HTTP could carry here.");
  }
}

function badRequest(why: string): Inner {
  return { refusal: refusal(400, "BadRequest", why) };
}

/** `Content-Type` in the letters that Graph writes: its client for JavaScript finds it under no others (findings/graph-client-batch-header-case.sh). */
function answerIn({ id, method }: One, { status, headers, jsonBody, body }: Answer): OneAnswer {
  const hasJson = jsonBody !== undefined;
  const { "content-type": type = hasJson ? "application/json" : undefined, ...others } = headers ?? {};
  const named = { ...(type === undefined ? {} : { "Content-Type": type }), ...others };
  const content = hasJson ? jsonBody : body;
  if (method.toUpperCase() === "HEAD" || content === undefined) return { id, status, headers: named };
  return { id, status, headers: named, body: content };
}

const failedDependency = refusal(424, "FailedDependency", "A request that this one depends on was refused.");
