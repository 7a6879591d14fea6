import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import type { GraphSimulator } from "../../local/graph/graph.js";
import type { GraphResponse } from "../../local/graph/types.js";
import type { JsonObject } from "../../shared/sync/types.js";
import type { Oracle } from "./oracle.js";
import type { Invocation } from "./process.js";
import type { Scheduler } from "./scheduler.js";
import type { CheckpointView } from "./views.js";

export type WireParts = {
  readonly graph: GraphSimulator;
  readonly oracle: Oracle;
  readonly scheduler: Scheduler;
  readonly root: string;
  readonly die: (invocation: Invocation) => void;
  /** Whether the mailbox's pages of delta come without a link. */
  readonly isWithoutLinks: (mailboxId: string) => boolean;
  /** Whether a page comes malformed now, and which way (0 up to 1); null for as it is. */
  readonly distortNow: () => number | null;
  readonly isTokenOurs: (authorization: string | undefined) => boolean;
  readonly tickets: () => number;
  /** How long Graph takes to answer for a mailbox. */
  readonly delayMsOf: (mailboxId: string) => number;
  /** Told of each ask for a mailbox. */
  readonly asked: (mailboxId: string) => void;
};

/** One mailbox's page that is asked for, alone or within a batch. */
type Ask = { readonly target: string; readonly mailboxId: string; readonly strategy: "delta" | "list" };

const version = "/beta";

/**
 * What stands where the network would: hands requests to the simulator in this process, as fate wills, and lets the
 * oracle see what goes out and what comes back.
 */
export function wireOf(parts: WireParts): (invocation: Invocation) => HttpClient {
  return (invocation) => ({ sendRequest: (request) => sendOver(parts, invocation, request) });
}

async function sendOver(parts: WireParts, invocation: Invocation, request: PipelineRequest): Promise<PipelineResponse> {
  const { scheduler, oracle } = parts;
  const target = String(request.requestOverrides?.["path"] ?? "");
  const asks = asksOf(parts, target, request);
  const label = () =>
    `${invocation.name} asks ${asks.map(({ mailboxId, target: path }) => `…${mailboxId.slice(-4)}${tail(path)}`).join(" + ")}`;
  let dead: () => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    dead = () => reject(networkError()); // Nobody waits any more.
  });
  death.catch(() => undefined);
  // Graph answers a batch when all of its items have answered.
  const delayMs = Math.max(0, ...asks.map(({ mailboxId }) => parts.delayMsOf(mailboxId)));
  const dueMs = delayMs === 0 ? 0 : scheduler.nowMs + delayMs;
  const signal = (request.abortSignal ?? null) as AbortSignal | null;
  const fate = await Promise.race([scheduler.gate(invocation.process, "fetch", label, dueMs, dead, signal), death]);
  if (fate === "crashBefore") {
    parts.die(invocation);
    throw networkError();
  }
  if (fate === "fails") throw networkError();
  checkRequest(parts, invocation, request, asks);
  const headers = Object.fromEntries([...request.headers].map(([name, value]) => [name.toLowerCase(), value]));
  const body = typeof request.body === "string" ? request.body : undefined;
  const sent = { method: request.method, url: target, headers };
  const handled = parts.graph.handle(body === undefined ? sent : { ...sent, body });
  const answer = distorted(parts, withoutLinks(parts, handled, asks), asks);
  if (fate === "crashAfter") parts.die(invocation);
  if (fate !== "go" || answer.connectionReset === true) throw networkError();
  noteAnswer(parts, invocation, answer, asks, oracle);
  return {
    request,
    status: answer.status,
    headers: createHttpHeaders(answer.headers),
    readableStreamBody: [Buffer.from(answer.body)] as unknown as NodeJS.ReadableStream,
  };
}

function networkError(): Error {
  return Object.assign(new Error("simulated"), { code: "ECONNRESET" });
}

function tail(path: string): string {
  const query = path.indexOf("?");
  return query < 0 ? " from the start" : ` at ${path.slice(query + 1, query + 12)}…${path.slice(-6)}`;
}

function asksOf({ oracle }: WireParts, target: string, request: PipelineRequest): readonly Ask[] {
  if (!target.toLowerCase().endsWith("/$batch")) return [askOf(target)];
  const { requests } = JSON.parse(String(request.body)) as {
    requests: { url: string; headers: Record<string, string> }[];
  };
  for (const { headers } of requests) {
    if (headers["Prefer"]?.startsWith("odata.maxpagesize=") !== true) {
      oracle.report("protocol", "a batch item without a page size", "Prefer", JSON.stringify(headers));
    }
  }
  return requests.map(({ url }) => askOf(version + url));
}

function askOf(target: string): Ask {
  const [path = ""] = target.split("?");
  const mailboxId = /^\/beta\/users(?:\/|\('|\(%27)([0-9a-f-]{36})/i.exec(path)?.[1] ?? "";
  return { target, mailboxId, strategy: /\/calendars$/i.test(path) ? "list" : "delta" };
}

/** I8 and the rules of waiting, at the last place that a request passes. */
function checkRequest(parts: WireParts, invocation: Invocation, request: PipelineRequest, asks: readonly Ask[]): void {
  const { oracle, root } = parts;
  const { report } = oracle;
  const hostname = request.requestOverrides?.["hostname"];
  if (new URL(request.url).origin !== root || hostname !== new URL(root).hostname) {
    report("I8", "a request left for another origin", root, `${request.url} ${String(hostname)}`);
  }
  if (!parts.isTokenOurs(request.headers.get("authorization")))
    report("I8", "a request without our token", "Bearer", "none");
  if (new Set(asks.map(({ mailboxId }) => mailboxId)).size < asks.length) {
    report("protocol", "a mailbox twice in one batch", "once", asks.map(({ mailboxId }) => mailboxId).join());
  }
  for (const ask of asks) {
    parts.asked(ask.mailboxId);
    checkTarget(parts, ask);
    checkPatience(parts, invocation, ask);
  }
}

/** A path of this mailbox from its start, or a link of it exactly as Graph has handed it out. */
function checkTarget({ oracle }: WireParts, { target, mailboxId, strategy }: Ask): void {
  const { references, report } = oracle;
  if (references.isPoisoned(target)) {
    report("I8", `${mailboxId}: a link was followed that leads away`, "a refusal", "a request");
    return;
  }
  const start = `/beta/users/${mailboxId}/calendars${strategy === "delta" ? "/delta" : ""}`;
  if (target === start && mailboxId !== "") return;
  if (references.at(target)?.mailboxId !== mailboxId || mailboxId === "") {
    report("I8", `${mailboxId}: a path was asked that nobody handed out`, "a link as it came", target.slice(0, 90));
  }
}

/** Nobody is asked before the time that stood in the table when this run began, and still stands there. */
function checkPatience({ oracle, scheduler }: WireParts, invocation: Invocation, { mailboxId }: Ask): void {
  const { report } = oracle;
  const nowMs = scheduler.nowMs + invocation.process.offsetMs;
  const untilMs = invocation.waits.get(mailboxId) ?? 0;
  if (untilMs > scheduler.nowMs)
    report("I7", `${mailboxId}: asked again too soon`, `in ${untilMs - scheduler.nowMs} ms`, "now");
  const { brake } = invocation;
  if (invocation.hasLostTime) return;
  if (brake !== null && brake.step === oracle.brake?.step && brake.untilMs > nowMs) {
    report("I7", `${mailboxId}: asked in spite of the brake`, `in ${brake.untilMs - nowMs} ms`, "now");
  }
  if (isAskedFor(invocation)) return;
  const then = invocation.checkpoints.get(mailboxId);
  if (then?.checkpoint == null || then.step !== oracle.mailbox(mailboxId).step) return;
  const { notBeforeMs, parkedReason, lastTick, lastErrorCode } = then.checkpoint;
  if ((notBeforeMs ?? 0) > nowMs && !oracle.refusedCodes.has(lastErrorCode ?? ""))
    report("I7", `${mailboxId}: asked before its time`, `in ${(notBeforeMs ?? 0) - nowMs} ms`, "now");
  if (parkedReason !== null && notBeforeMs === null)
    report("I7", `${mailboxId}: asked while parked`, parkedReason, "a request");
  if (isOvertaken(invocation, then.checkpoint)) {
    report("I9", `${mailboxId}: an overtaken page message went on`, "nothing", invocation.message?.body ?? "");
  }
  if (invocation.tick !== null && lastTick === invocation.tick) {
    report("I9", `${mailboxId}: asked twice in one tick`, "once", invocation.tick);
  }
}

/** An operator wants a round now, whatever the mailbox waits for. */
function isAskedFor({ message }: Invocation): boolean {
  return message?.queue === "pages" && Object.hasOwn(JSON.parse(message.body) as object, "sync");
}

/** Whether a page message is about another page than the one that the mailbox waits for. */
function isOvertaken({ message }: Invocation, checkpoint: CheckpointView): boolean {
  if (message?.queue !== "pages") return false;
  const { roundId, pageNumber, phase, aloneUntilMs } = checkpoint;
  const { round, page, alone } = JSON.parse(message.body) as { round?: string; page?: number; alone?: number };
  if (alone !== undefined) return alone !== aloneUntilMs;
  return round !== roundId || page !== pageNumber || phase === "idle" || phase === "initial";
}

/** Lets the oracle see what arrives. */
function noteAnswer(
  parts: WireParts,
  invocation: Invocation,
  answer: GraphResponse,
  asks: readonly Ask[],
  oracle: Oracle,
): void {
  const step = parts.scheduler.steps;
  const [only] = asks;
  const body = jsonOf(answer.body);
  const isBatch = asks.length > 1 || answer.body.startsWith('{"responses":');
  if (!isBatch && only !== undefined) {
    noteWait(parts, invocation, only, answer.status, answer.headers);
    if (answer.status === 200) oracle.references.handOut({ ...only, body, step });
    return;
  }
  if (answer.status !== 200) for (const ask of asks) noteWait(parts, invocation, ask, answer.status, answer.headers);
  const items = responsesOf(body);
  for (const item of items) {
    const ask = asks[Number(item["id"]) - 1];
    // Of an item that comes twice, neither is to be believed.
    if (ask === undefined || items.filter(({ id }) => id === item["id"]).length > 1) continue;
    const headers = (item["headers"] ?? {}) as Record<string, string>;
    noteWait(parts, invocation, ask, Number(item["status"]), headers);
    if (item["status"] === 200) oracle.references.handOut({ ...ask, body: item["body"], step });
  }
}

/** Retry-After in seconds; a date is read by a clock that may be wrong, which is another matter. */
function noteWait(
  { scheduler }: WireParts,
  invocation: Invocation,
  { mailboxId }: Ask,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === "retry-after");
  const seconds = name === undefined ? Number.NaN : Number(headers[name]);
  if (status === 200 || Number.isNaN(seconds)) return;
  invocation.waits.set(mailboxId, scheduler.nowMs + seconds * 1000);
}

function responsesOf(body: unknown): readonly JsonObject[] {
  const responses = typeof body === "object" && body !== null ? (body as Record<string, unknown>)["responses"] : null;
  return Array.isArray(responses) ? (responses as JsonObject[]) : [];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // Broken off half way, or HTML: nobody can read it.
  }
}

/** Takes nextLink and deltaLink out of the delta pages of a mailbox whose permanent fault that is. */
function withoutLinks(parts: WireParts, answer: GraphResponse, asks: readonly Ask[]): GraphResponse {
  const isBroken = ({ mailboxId, strategy }: Ask) => strategy === "delta" && parts.isWithoutLinks(mailboxId);
  const body = answer.status === 200 && asks.some(isBroken) ? jsonOf(answer.body) : null;
  if (typeof body !== "object" || body === null) return answer;
  const items = responsesOf(body);
  for (const [index, ask] of asks.entries()) {
    const page = items.length === 0 ? body : items.find(({ id }) => id === String(index + 1))?.["body"];
    if (!isBroken(ask) || typeof page !== "object" || page === null) continue;
    for (const name of Object.keys(page)) if (name.endsWith("Link")) delete (page as Record<string, unknown>)[name];
  }
  return { ...answer, body: JSON.stringify(body) };
}

/** Makes list links unlike each other, since the oracle tells links apart by their text, and distorts some pages. */
function distorted(parts: WireParts, answer: GraphResponse, asks: readonly Ask[]): GraphResponse {
  const way = answer.status === 200 ? parts.distortNow() : null;
  const hasListLink = asks.some(({ strategy }) => strategy === "list") && answer.body.includes("%24skip=");
  if (way === null && !hasListLink) return answer;
  const withTickets = answer.body.replace(/%24skip=\d+(?=")/g, (link) => `${link}&ticket=${parts.tickets()}`);
  const body = way === null ? null : jsonOf(withTickets);
  if (way === null || body === null) return { ...answer, body: withTickets };
  const pages = asks.length > 1 ? responsesOf(body).map((item) => item["body"]) : [body];
  const page = pages[Math.floor(way * pages.length)];
  if (typeof page === "object" && page !== null) malform(page as Record<string, unknown>, (way * 97) % 1);
  return { ...answer, body: JSON.stringify(body) };
}

/** Ways in which a page may come that must not be believed: each of them could be taken for a shorter list. */
function malform(page: Record<string, unknown>, way: number): void {
  const { value } = page;
  const items = Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
  if (way < 0.2) delete page["value"];
  else if (way < 0.4) page["error"] = { code: "InternalServerError", message: "half a list" };
  else if (way < 0.6)
    page["@odata.nextLink"] = page["@odata.deltaLink"] = "https://graph.microsoft.com/beta/x?$skiptoken=1";
  else if (way < 0.8 && items[0] !== undefined) delete items[0]["id"];
  else page["value"] = null;
}
