import { errorBody, refuse } from "./answers.js";
import { below } from "./random.js";
import { answerResource, type ResourceAnswer } from "./resource.js";
import type { Answer, Version } from "./types.js";
import type { World } from "./world.js";

const ITEMS_MAX = 20;
/** Graph passes this many items of a batch on to Outlook at the same time. */
const LANES = 4;
const CONTENT_TYPE =
  "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

type Item = {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  readonly dependsOn: readonly string[];
};

/** Answers a batch: each item by itself, in random order. `requestIds` makes an id for each item. */
export function answerBatch(
  world: World,
  version: Version,
  body: string | undefined,
  requestIds: () => string,
): Answer {
  const items = itemsOf(body);
  if ("status" in items) {
    world.stats.count.batchRefusals++;
    return items;
  }
  countBatch(world, items);
  const { faults } = world;
  const statuses = new Map<string, number>();
  const texts: string[] = [];
  const delaysMs: number[] = [];
  for (const item of items) {
    const failed = item.dependsOn.some((id) => (statuses.get(id) ?? 0) >= 400);
    const handled = failed ? FAILED_DEPENDENCY : answerResource(world, resourceRequest(version, item));
    statuses.set(item.id.toLowerCase(), handled.answer.status);
    delaysMs.push(handled.delayMs);
    texts.push(itemText(world, item, handled.answer, requestIds()));
  }
  shuffle(world, texts);
  if (!faults.isCalm()) distort(world, texts);
  const isHtml = !faults.isCalm() && faults.inject("batchNotJson", "batch", null) !== null;
  const text = isHtml ? "<html><body>Service unavailable</body></html>" : `{"responses":[${texts.join(",")}]}`;
  return { status: 200, body: text, delayMs: lanesDelayMs(delaysMs) };
}

const FAILED_DEPENDENCY: ResourceAnswer = {
  answer: refuse(424, "FailedDependency", "An item that this one depends on failed."),
  target: "batch",
  mailboxId: null,
  delayMs: 0,
};

function resourceRequest(version: Version, { method, url, headers, body }: Item) {
  const question = url.indexOf("?");
  const start = url.startsWith("/") ? 1 : 0;
  const path = question < 0 ? url.slice(start) : url.slice(start, question);
  return { method, version, path, query: question < 0 ? "" : url.slice(question + 1), headers, body };
}

/** The items, or the refusal of the whole batch. */
function itemsOf(body: string | undefined): readonly Item[] | Answer {
  const malformed = (message: string) => refuse(400, "BadRequest", message);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body ?? "");
  } catch {
    return malformed("Invalid batch payload format.");
  }
  const requests = (parsed as { requests?: unknown } | null)?.requests;
  if (!Array.isArray(requests) || requests.length === 0) return malformed("Invalid batch payload format.");
  if (requests.length > ITEMS_MAX)
    return malformed(`Number of batch request steps exceeds the maximum of ${ITEMS_MAX}.`);
  const items: Item[] = [];
  const ids = new Set<string>();
  for (const request of requests as readonly unknown[]) {
    const item = itemOf(request);
    if (item === null) return malformed("Invalid batch request step: it needs id, method and a relative url.");
    if (ids.has(item.id.toLowerCase())) return malformed("Every batch request step must have a unique id.");
    ids.add(item.id.toLowerCase());
    items.push(item);
  }
  return items;
}

function itemOf(request: unknown): Item | null {
  if (typeof request !== "object" || request === null) return null;
  const { id, method, url, headers, body, dependsOn } = request as Record<string, unknown>;
  if (typeof id !== "string" || id === "" || typeof method !== "string" || typeof url !== "string") return null;
  if (url === "" || /^[a-z]+:\/\//i.test(url)) return null;
  const before = Array.isArray(dependsOn) ? dependsOn.map((other) => String(other).toLowerCase()) : [];
  return { id, method: method.toUpperCase(), url, headers: lowerCaseNames(headers), body, dependsOn: before };
}

function lowerCaseNames(headers: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  if (typeof headers !== "object" || headers === null) return found;
  for (const [name, value] of Object.entries(headers)) found[name.toLowerCase()] = String(value);
  return found;
}

/** Bodies are JSON already and go in as they are; an empty body leaves the property out. */
function itemText(world: World, item: Item, answer: Answer, requestId: string): string {
  const clientRequestId = item.headers["client-request-id"] ?? requestId;
  const headers: Record<string, string> = { "request-id": requestId, "client-request-id": clientRequestId };
  for (const [name, value] of Object.entries(answer.headers ?? NO_HEADERS)) {
    // The case of names varies in the field, so callers must not rely on it.
    headers[name === "Retry-After" && world.random.next() < 0.5 ? "retry-after" : name] = value;
  }
  const { body, status } = answer;
  const text = typeof body === "string" ? body : errorBody(body, world.clock.nowMs(), requestId, clientRequestId);
  if (text !== "") headers["Content-Type"] = CONTENT_TYPE;
  const head = `{"id":${JSON.stringify(item.id)},"status":${status},"headers":${JSON.stringify(headers)}`;
  return text === "" ? `${head}}` : `${head},"body":${text}}`;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

function shuffle(world: World, texts: string[]): void {
  for (let last = texts.length - 1; last > 0; last--) {
    const other = below(world.random, last + 1);
    const text = texts[last] ?? "";
    texts[last] = texts[other] ?? "";
    texts[other] = text;
  }
}

/** Loses an answer, or doubles one. */
function distort(world: World, texts: string[]): void {
  if (world.faults.inject("batchMissingItem", "batch", null) !== null) texts.shift();
  const [first] = texts;
  if (first !== undefined && world.faults.inject("batchDoubledItem", "batch", null) !== null) texts.push(first);
}

/** How long the batch takes when every lane takes up the next item as soon as it is free. */
function lanesDelayMs(delaysMs: readonly number[]): number {
  const lanes = new Array<number>(LANES).fill(0);
  for (const delayMs of delaysMs) {
    const free = lanes.indexOf(Math.min(...lanes));
    lanes[free] = (lanes[free] ?? 0) + delayMs;
  }
  return Math.max(...lanes);
}

function countBatch(world: World, items: readonly Item[]): void {
  const { count } = world.stats;
  count.batchItems += items.length;
  count.batchItemsMax = Math.max(count.batchItemsMax, items.length);
  count.itemsInFlightMax = Math.max(count.itemsInFlightMax, Math.min(items.length, LANES));
  const perMailbox = new Map<string, number>();
  for (const { url } of items) {
    const owner = /^\/?(me|users\/[^/?]+)/i.exec(url)?.[1];
    if (owner === undefined) continue;
    const total = (perMailbox.get(owner) ?? 0) + 1;
    perMailbox.set(owner, total);
    if (total > count.itemsPerMailboxInBatchMax) count.itemsPerMailboxInBatchMax = total;
  }
}
