import { z } from "zod";
import { PURPOSES } from "./accounts.js";
import { faultRuleSchema } from "./faults.js";
import type { GraphSimulator } from "./graph.js";
import { GONE_CODES } from "./mailbox.js";
import { type GraphRequest, type GraphResponse, VERSIONS } from "./types.js";

const ROOT = "/_control/";

/** Whether a request goes to the control API rather than to Graph. */
export function isControlPath(url: string): boolean {
  return url.startsWith(ROOT);
}

const countSchema = z.union([z.int().min(1), z.strictObject({ min: z.int().min(1), max: z.int().min(1) })]);
const idSchema = z.string();
const valuesSchema = z.record(z.string(), z.unknown());

const editSchema = z.union([
  z.strictObject({ random: z.int().min(1) }),
  z.strictObject({
    edit: z.literal("create"),
    mailboxId: idSchema,
    values: valuesSchema.and(z.object({ name: z.string() })),
  }),
  z.strictObject({ edit: z.literal("rename"), mailboxId: idSchema, calendarId: idSchema, name: z.string() }),
  z.strictObject({ edit: z.literal("update"), mailboxId: idSchema, calendarId: idSchema, values: valuesSchema }),
  z.strictObject({ edit: z.literal("delete"), mailboxId: idSchema, calendarId: idSchema }),
]);

const stateSchema = z.union([
  z.strictObject({ kind: z.enum(["normal", "full", "denied"]) }),
  z.strictObject({ kind: z.literal("gone"), code: z.enum(GONE_CODES) }),
]);

const userSchema = z.strictObject({
  userPrincipalName: z.string().exactOptional(),
  mail: z.string().nullable().exactOptional(),
  displayName: z.string().exactOptional(),
  accountEnabled: z.boolean().exactOptional(),
  userType: z.string().exactOptional(),
});

const groupSchema = z.strictObject({ id: idSchema, members: z.union([z.literal("everybody"), z.array(idSchema)]) });

const deltaSchema = z.strictObject({
  version: z.enum(VERSIONS),
  availability: z.enum(["available", "notTracked", "unknownSegment", "readAsId"]),
});

/**
 * The control API, for other processes on this machine: no bearer, JSON in and out, 400 with `{error}` for what does
 * not fit, and no effect on `stats`. Paths stand under `/_control/`.
 *
 * | call | body → answer |
 * |---|---|
 * | `GET stats`, `DELETE stats` | → `GraphStats`; back to zero |
 * | `GET faults` | → `{rules, injected}` |
 * | `POST faults` | a `FaultRule` or an array of them → `{ids}` |
 * | `DELETE faults`, `DELETE faults/{id}` | all rules, or one |
 * | `GET broken`, `DELETE broken` | → `Broken`: what it is told to do wrong, in figures; all is well again |
 * | `POST edits` | `{random: n}`, or `{edit: "create" \| "rename" \| "update" \| "delete", mailboxId, calendarId?, name?, values?}` → `{edits}` |
 * | `GET truth/{mailboxId}` | → `{value: Calendar[]}` |
 * | `GET mailboxes?skip=0&top=1000&truth=1` | → `{count, value: [{id, displayName, purpose, user, calendars?}]}`; `user`: as the directory shows it |
 * | `POST mailboxes` | `{add: n, calendars?: n \| {min, max}}` → `{ids}` |
 * | `DELETE mailboxes/{id}?reason=changed\|deleted`, `POST mailboxes/{id}/restore` | the user leaves the directory, comes back |
 * | `POST mailboxes/{id}/state` | `{kind: "normal" \| "full" \| "denied"}` or `{kind: "gone", code}` |
 * | `POST mailboxes/{id}/user` | changed properties of the directory user |
 * | `POST mailboxes/{id}/purpose` | `{purpose}`, a `userPurpose`: Exchange's alone, the directory does not show it |
 * | `POST mailboxes/{id}/convert` | `{to: "shared" \| "user"}`: the purpose, and the sign-in with it |
 * | `POST mailboxes/{id}/moveCalendars` | → `{moves: [{old, new}]}`: up to six shared calendars get new ids, name and owner kept |
 * | `POST mailboxes/{id}/replaceIds`, `POST mailboxes/{id}/forgetLinks`, `POST forgetLinks` | new ids for all calendars; links of one or of all mailboxes give 410 |
 * | `GET groups`, `POST groups` | → `{everybody}`; `{id, members: "everybody" \| ids}` |
 * | `POST delta` | `{version, availability}`: where calendar delta works |
 * | `POST permissions` | `{mailboxSettings: boolean}`: whether `MailboxSettings.Read` is granted |
 */
export function answerControl(core: GraphSimulator, request: GraphRequest): GraphResponse {
  try {
    const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
    const [collection = "", ...rest] = pathname.slice(ROOT.length).split("/").map(decodeURIComponent);
    const body: unknown = request.body ? JSON.parse(request.body) : undefined;
    const call = { core, method: request.method, rest, body, query: searchParams };
    const answer = answerCall(collection, call);
    return answer === undefined ? reply(404, { error: "There is no such control call." }) : reply(200, answer);
  } catch (error) {
    return reply(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(status: number, value: unknown): GraphResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value), delayMs: 0 };
}

type Call = {
  readonly core: GraphSimulator;
  readonly method: string;
  readonly rest: readonly string[];
  readonly body: unknown;
  readonly query: URLSearchParams;
};

const DONE = { done: true };

/** Undefined: there is no such call. */
function answerCall(collection: string, call: Call): unknown {
  const { core, method, rest, body } = call;
  const [id] = rest;
  switch (`${method} ${collection}`) {
    case "GET stats":
      return core.stats();
    case "DELETE stats":
      core.resetStats();
      return DONE;
    case "GET faults":
      return { rules: core.faults.rules(), injected: core.faults.injected() };
    case "POST faults":
      return {
        ids: z
          .array(faultRuleSchema)
          .parse([body].flat())
          .map((rule) => core.faults.add(rule)),
      };
    case "DELETE faults":
      if (id === undefined) core.faults.clear();
      return id === undefined ? DONE : { done: core.faults.remove(Number(id)) };
    case "GET broken":
      return core.broken();
    case "DELETE broken":
      core.mend();
      return DONE;
    case "POST edits":
      return { edits: edit(core, body) };
    case "GET truth":
      return id === undefined ? undefined : { value: core.truth(id) };
    case "POST forgetLinks":
      core.mailboxes.forgetLinks();
      return DONE;
    case "GET groups":
      return { everybody: core.groups.everybodyId() };
    case "POST groups": {
      const group = groupSchema.parse(body);
      core.groups.add(group.id, group.members);
      return DONE;
    }
    case "POST delta": {
      const { version, availability } = deltaSchema.parse(body);
      core.switchDelta(version, availability);
      return DONE;
    }
    case "POST permissions":
      core.switchMailboxSettings(z.strictObject({ mailboxSettings: z.boolean() }).parse(body).mailboxSettings);
      return DONE;
    default:
      return collection === "mailboxes" ? answerMailboxes(call) : undefined;
  }
}

function answerMailboxes({ core, method, rest, body, query }: Call): unknown {
  const { mailboxes } = core;
  const [id, action] = rest;
  if (id === undefined) {
    if (method === "GET") return listMailboxes(core, query);
    if (method !== "POST") return undefined;
    const { add, calendars } = z.strictObject({ add: z.int().min(1), calendars: countSchema.optional() }).parse(body);
    return { ids: mailboxes.add(add, calendars) };
  }
  switch (`${method} ${action ?? ""}`) {
    case "DELETE ":
      mailboxes.remove(id, z.enum(["changed", "deleted"]).parse(query.get("reason") ?? "changed"));
      return DONE;
    case "POST restore":
      return { done: mailboxes.restore(id) };
    case "POST state":
      mailboxes.setState(id, stateSchema.parse(body));
      return DONE;
    case "POST user":
      mailboxes.updateUser(id, userSchema.parse(body));
      return DONE;
    case "POST purpose":
      mailboxes.setPurpose(id, z.strictObject({ purpose: z.enum(PURPOSES) }).parse(body).purpose);
      return DONE;
    case "POST convert":
      mailboxes.convert(id, z.strictObject({ to: z.enum(["shared", "user"]) }).parse(body).to);
      return DONE;
    case "POST moveCalendars":
      return { moves: core.moveCalendars(id) };
    case "POST replaceIds":
      mailboxes.replaceIds(id);
      return DONE;
    case "POST forgetLinks":
      mailboxes.forgetLinks(id);
      return DONE;
    default:
      return undefined;
  }
}

function listMailboxes(core: GraphSimulator, query: URLSearchParams): unknown {
  const skip = Number(query.get("skip") ?? 0);
  const top = Number(query.get("top") ?? 1000);
  const ids = core.mailboxes.ids();
  const isTruthAsked = query.get("truth") === "1";
  const value = ids.slice(skip, skip + top).map((id) => {
    const user = core.mailboxes.user(id);
    const mailbox = { id, displayName: user.displayName, purpose: core.mailboxes.purpose(id), user };
    return isTruthAsked ? { ...mailbox, calendars: core.truth(id) } : mailbox;
  });
  return { count: ids.length, value };
}

function edit(core: GraphSimulator, body: unknown): unknown[] {
  const wanted = editSchema.parse(body);
  if ("random" in wanted) return Array.from({ length: wanted.random }, () => core.editAtRandom());
  const { mailboxId } = wanted;
  switch (wanted.edit) {
    case "create":
      return [{ edit: wanted.edit, mailboxId, calendarId: core.createCalendar(mailboxId, wanted.values).id }];
    case "rename":
      core.renameCalendar(mailboxId, wanted.calendarId, wanted.name);
      break;
    case "update":
      core.updateCalendar(mailboxId, wanted.calendarId, wanted.values);
      break;
    case "delete":
      core.deleteCalendar(mailboxId, wanted.calendarId);
  }
  return [{ edit: wanted.edit, mailboxId, calendarId: wanted.calendarId }];
}
