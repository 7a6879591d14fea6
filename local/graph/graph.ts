import type { Purpose } from "./accounts.js";
import { errorBody, refuse, unknownSegment } from "./answers.js";
import { answerBatch } from "./batch.js";
import { type Broken, brokenOf, mend } from "./broken.js";
import { calendarsOf, createIn, deleteIn, type Edit, editAtRandomIn, type Move, moveIn, updateIn } from "./edits.js";
import { createFaults, type Faults, type FaultTarget } from "./faults.js";
import type { Mailbox, MailboxState } from "./mailbox.js";
import { createMailboxStore, type RemovalReason } from "./mailboxes.js";
import { below, guidOf } from "./random.js";
import { refusalOf, tokenRefused } from "./refusals.js";
import { answerResource } from "./resource.js";
import { routeOf, targetOf } from "./route.js";
import { restore, type SavedGraph, savedOf } from "./saved.js";
import { createStats, type GraphStats } from "./stats.js";
import { createSealer } from "./tokens.js";
import type {
  Answer,
  Calendar,
  CalendarChanges,
  CalendarCount,
  DeltaAvailability,
  GraphOptions,
  GraphRequest,
  GraphResponse,
  Version,
} from "./types.js";
import type { DirectoryUser, UserChanges } from "./users.js";
import type { World } from "./world.js";

/** The mailboxes and their users. Functions that take an id throw when there is no such mailbox. */
type Mailboxes = {
  count(): number;
  ids(): string[];
  idAt(index: number): string;
  /** New mailboxes with new users; users/delta shows them. */
  add(count: number, calendars?: CalendarCount): string[];
  /** The user leaves the directory; `changed` (the default) can be restored. */
  remove(id: string, reason?: RemovalReason): void;
  restore(id: string): boolean;
  /** The mailbox's user as the directory shows it now. */
  user(id: string): DirectoryUser;
  displayName(id: string): string;
  updateUser(id: string, values: UserChanges): void;
  /** What the mailbox is for. Exchange alone knows it: a new purpose does not show in users/delta. */
  purpose(id: string): Purpose;
  setPurpose(id: string, purpose: Purpose): void;
  /**
   * As an administrator turns a leaver's mailbox into a shared one, or gives it back to a person: the purpose, and the
   * sign-in, disabled or enabled. users/delta shows the user when its sign-in was another before.
   */
  convert(id: string, to: "shared" | "user"): void;
  state(id: string): MailboxState;
  setState(id: string, state: MailboxState): void;
  /** All calendars take new ids, as after a move; old links give 410. */
  replaceIds(id: string): void;
  /** Links handed out so far give 410; without an id, those of all mailboxes. */
  forgetLinks(id?: string): void;
};

/** A simulated Microsoft Graph with calendars, users and groups. Clock and randomness are passed in; it uses no network. */
export type GraphSimulator = {
  /** Answers one request, at once and always the same way for the same history. */
  handle(request: GraphRequest): GraphResponse;
  readonly mailboxes: Mailboxes;
  readonly groups: { add(id: string, members: "everybody" | readonly string[]): void; everybodyId(): string };
  readonly faults: Faults;
  /** What a perfect mirror holds: the calendars as beta's list returns them. */
  truth(mailboxId: string): readonly Calendar[];
  createCalendar(mailboxId: string, values: CalendarChanges & { readonly name: string }): Calendar;
  renameCalendar(mailboxId: string, calendarId: string, name: string): Calendar;
  updateCalendar(mailboxId: string, calendarId: string, values: CalendarChanges): Calendar;
  deleteCalendar(mailboxId: string, calendarId: string): void;
  /** Up to six shared calendars at once get new folders, and so new ids; name and owner stay. */
  moveCalendars(mailboxId: string): readonly Move[];
  editAtRandom(): Edit;
  /** What it is told to do wrong, or not to offer. */
  broken(): Broken;
  /** From now on all is well: no rules, mailboxes that answer, delta and permissions as Microsoft has them. */
  mend(): void;
  /** What was changed of the tenant so far, and what is broken of it. */
  saved(): SavedGraph;
  /** Brings a new simulator with the same options to where another one was saved. */
  restore(saved: SavedGraph): void;
  stats(): GraphStats;
  resetStats(): void;
  switchDelta(version: Version, availability: DeltaAvailability): void;
  /** Whether the application may read mailbox settings (`MailboxSettings.Read`); at first it may. */
  switchMailboxSettings(isGranted: boolean): void;
  /** Root of links from now on, without version and without a slash at its end. */
  setPublicRoot(root: string): void;
  /** The only bearer token that is taken from now on; null takes any. */
  setToken(token: string | null): void;
};

/**
 * A simulator with its first mailboxes, whose calendars are made only when somebody looks. The same options and the
 * same calls give the same answers, byte for byte.
 */
export function createGraph(options: GraphOptions): GraphSimulator {
  const world = createWorld(options);
  const everybody = guidOf(world.mailboxes.seed, 44);
  world.groups.set(everybody, "everybody");
  return {
    handle: createHandler(world),
    mailboxes: mailboxesOf(world, options.calendars ?? CALENDARS_DEFAULT),
    groups: {
      add: (id, members) => {
        world.groups.set(id.toLowerCase(), members === "everybody" ? members : new Set(members));
      },
      everybodyId: () => everybody,
    },
    faults: world.faults,
    truth: (id) => calendarsOf(mailboxOrThrow(world, id)),
    createCalendar: (id, values) => createIn(mailboxOrThrow(world, id), values),
    renameCalendar: (id, calendarId, name) => updateIn(mailboxOrThrow(world, id), calendarId, { name }),
    updateCalendar: (id, calendarId, values) => updateIn(mailboxOrThrow(world, id), calendarId, values),
    deleteCalendar: (id, calendarId) => deleteIn(mailboxOrThrow(world, id), calendarId),
    moveCalendars: (id) => moveIn(mailboxOrThrow(world, id)),
    editAtRandom: () => editAtRandomIn(mailboxAtRandom(world), world.random),
    saved: () => savedOf(world),
    restore: (saved) => restore(world, saved),
    broken: () => brokenOf(world),
    mend: () => mend(world),
    stats: () => world.stats.read(),
    resetStats: () => world.stats.reset(),
    switchDelta: (version, availability) => {
      world.switches.delta[version] = availability;
    },
    switchMailboxSettings: (isGranted) => {
      world.switches.isMailboxSettingsGranted = isGranted;
    },
    setPublicRoot: (root) => {
      world.switches.publicRoot = root;
    },
    setToken: (token) => {
      world.switches.token = token;
    },
  };
}

const CALENDARS_DEFAULT = 3;

function createWorld(options: GraphOptions): World {
  const { clock, random, seed = 1, mailboxes = 1, calendars = CALENDARS_DEFAULT } = options;
  return {
    clock,
    random,
    me: options.me === undefined ? 0 : options.me,
    generationsKept: options.generationsKept ?? 3,
    linkStyle: options.linkStyle ?? "asSent",
    latency: options.latency ?? { minMs: 0, maxMs: 0 },
    switches: {
      publicRoot: options.publicRoot ?? "https://graph.microsoft.com",
      token: options.token ?? null,
      isMailboxSettingsGranted: true,
      delta: { beta: "available", "v1.0": "available", ...options.delta },
    },
    mailboxes: createMailboxStore(seed, mailboxes, calendars, options.perHundred ?? null),
    groups: new Map(),
    sealer: createSealer(seed, options.tokenStyle ?? "plain"),
    faults: createFaults(random),
    stats: createStats(),
  };
}

function mailboxOrThrow(world: World, id: string): Mailbox {
  const mailbox = world.mailboxes.find(id);
  if (mailbox === null) throw new Error(`There is no mailbox ${id}.`);
  return mailbox;
}

function mailboxAtRandom(world: World): Mailbox {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const mailbox = world.mailboxes.at(below(world.random, world.mailboxes.size()));
    if (mailbox !== null && world.mailboxes.find(mailbox.id) !== null) return mailbox;
  }
  throw new Error("There is hardly a mailbox left to edit.");
}

function mailboxesOf(world: World, calendarsDefault: CalendarCount): Mailboxes {
  const { mailboxes } = world;
  const indexes = () => Array.from({ length: mailboxes.size() }, (_, index) => index);
  const ids = () => indexes().flatMap((index) => mailboxes.find(mailboxes.at(index)?.id ?? "")?.id ?? []);
  const forget = (mailbox: Mailbox | null) => {
    if (mailbox !== null) mailbox.forgottenUpTo = mailbox.generation;
  };
  const user = (id: string) => {
    const found = mailboxes.user(mailboxOrThrow(world, id).index);
    if (found === null) throw new Error(`Mailbox ${id} has no user.`);
    return found;
  };
  return {
    count: () => ids().length,
    ids,
    idAt(index) {
      const mailbox = mailboxes.at(index);
      if (mailbox === null) throw new Error(`There is no mailbox number ${index}.`);
      return mailbox.id;
    },
    add: (count, calendars = calendarsDefault) => mailboxes.add(count, calendars),
    remove: (id, reason = "changed") => mailboxes.remove(mailboxOrThrow(world, id), reason),
    restore: (id) => mailboxes.restore(id),
    user,
    displayName: (id) => user(id).displayName,
    updateUser: (id, values) => mailboxes.updateUser(mailboxOrThrow(world, id), values),
    purpose: (id) => mailboxOrThrow(world, id).purpose,
    setPurpose(id, purpose) {
      mailboxOrThrow(world, id).purpose = purpose;
    },
    convert(id, to) {
      const mailbox = mailboxOrThrow(world, id);
      const accountEnabled = to === "user";
      mailbox.purpose = to;
      if (user(id).accountEnabled !== accountEnabled) mailboxes.updateUser(mailbox, { accountEnabled });
    },
    state: (id) => mailboxOrThrow(world, id).state,
    setState(id, state) {
      mailboxOrThrow(world, id).state = state;
    },
    replaceIds(id) {
      mailboxOrThrow(world, id).epoch++;
    },
    forgetLinks(id) {
      if (id === undefined) for (const index of indexes()) forget(mailboxes.at(index));
      else forget(mailboxOrThrow(world, id));
    },
  };
}

/** The result of one HTTP request, before ids and date are added. */
type Outcome = { readonly answer: Answer; readonly target: FaultTarget; readonly mailboxId: string | null };

function createHandler(world: World): (request: GraphRequest) => GraphResponse {
  let lastRequest = 0;
  const requestIds = () => `5eed0000-0000-4000-8000-${(++lastRequest).toString(16).padStart(12, "0")}`;
  return (request) => {
    world.stats.count.httpRequests++;
    const { answer, target, mailboxId } = outcomeOf(world, request, requestIds);
    const requestId = requestIds();
    const clientRequestId = request.headers["client-request-id"] ?? requestId;
    const nowMs = world.clock.nowMs();
    const whole =
      typeof answer.body === "string" ? answer.body : errorBody(answer.body, nowMs, requestId, clientRequestId);
    const headers: Record<string, string> = {
      "request-id": requestId,
      "client-request-id": clientRequestId,
      date: new Date(nowMs).toUTCString(),
    };
    if (whole !== "") headers["content-type"] = "application/json;odata.metadata=minimal;charset=utf-8";
    for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = value;
    const response = { status: answer.status, headers, body: whole, delayMs: answer.delayMs ?? 0 };
    return world.faults.isCalm() ? response : breakConnection(world, response, target, mailboxId);
  };
}

function outcomeOf(world: World, request: GraphRequest, requestIds: () => string): Outcome {
  const { version, path, query } = addressOf(request.url);
  const isBatch = path.toLowerCase() === "$batch" && request.method === "POST";
  const outer = (answer: Answer): Outcome => ({ answer, target: "batch", mailboxId: null });
  if (isBatch) world.stats.count.batchRequests++;
  if (OF_KINDS.test(isBatch ? (request.body ?? "") : path)) world.stats.count.kindRequests++;
  if (version === null) return outer(unknownSegment(path));
  if (!isAuthorised(world, request.headers["authorization"])) return outer(tokenRefused());
  const refusal = refusalOfWhole(world, path, request.method, isBatch);
  if (refusal !== null) return outer(refusal);
  if (isBatch) return outer(answerBatch(world, version, request.body, requestIds));
  const body = bodyOf(request.body);
  if (body === BROKEN) return outer(refuse(400, "BadRequest", "Unable to read JSON request payload."));
  const { method, headers } = request;
  const { answer, target, mailboxId, delayMs } = answerResource(world, { method, version, path, query, headers, body });
  return { answer: { ...answer, delayMs }, target, mailboxId };
}

const OF_KINDS = /\/mailboxSettings\/userPurpose\b/i;

const WHOLE = new Set(["throttledApplication"] as const);
const WHOLE_BATCH = new Set([
  ...WHOLE,
  "throttled",
  "unavailable",
  "gatewayTimeout",
  "serverError",
  "claimsChallenge",
  "tokenRefused",
] as const);

/** The refusal that a fault gives an HTTP request before it is looked at. */
function refusalOfWhole(world: World, path: string, method: string, isBatch: boolean): Answer | null {
  if (world.faults.isCalm()) return null;
  const rule = isBatch
    ? world.faults.inject(WHOLE_BATCH, "batch", null)
    : world.faults.inject(WHOLE, targetOf(routeOf(path).kind, method), null);
  return rule === null ? null : refusalOf(rule, world.clock.nowMs());
}

function addressOf(url: string): { readonly version: Version | null; readonly path: string; readonly query: string } {
  const pathStart = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const question = url.indexOf("?");
  const whole = url.slice(pathStart + 1, question < 0 ? undefined : question);
  const slash = whole.indexOf("/");
  const first = (slash < 0 ? whole : whole.slice(0, slash)).toLowerCase();
  const version = first === "beta" || first === "v1.0" ? first : null;
  const path = version === null || slash < 0 ? whole : whole.slice(slash + 1);
  return { version, path, query: question < 0 ? "" : url.slice(question + 1) };
}

function isAuthorised(world: World, authorization: string | undefined): boolean {
  const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return false;
  return world.switches.token === null || token === world.switches.token;
}

const BROKEN = Symbol("broken body");

function bodyOf(text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return BROKEN;
  }
}

/** The request has had its effect; its answer may still be cut off or lost. */
function breakConnection(
  world: World,
  response: GraphResponse,
  target: FaultTarget,
  mailboxId: string | null,
): GraphResponse {
  const { faults } = world;
  if (faults.inject("connectionReset", target, mailboxId) !== null) return { ...response, connectionReset: true };
  if (response.body.length < 2 || faults.inject("truncatedBody", target, mailboxId) === null) return response;
  return { ...response, body: response.body.slice(0, response.body.length >> 1) };
}
