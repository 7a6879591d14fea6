import { answerJson, methodNotAllowed, noSuchItem, preferredPageSize, queryOf, refuse } from "./answers.js";
import { asShownIn } from "./calendars.js";
import {
  addCalendar,
  aliveSlots,
  calendarAt,
  changeCalendar,
  isAlive,
  type Mailbox,
  makerFor,
  removeCalendar,
} from "./mailbox.js";
import type { UserRef } from "./route.js";
import type { Answer, Calendar, CalendarChanges, ResourceRequest } from "./types.js";
import type { World } from "./world.js";

const PAGE_SIZE_DEFAULT = 10;
const PAGE_SIZE_MAX = 1000;
const WRITABLE = new Set(["name", "color", "hexColor", "isDefaultCalendar", "defaultOnlineMeetingProvider"]);

/** GET and POST of a mailbox's calendar list. */
export function answerCalendars(world: World, request: ResourceRequest, user: UserRef, mailbox: Mailbox): Answer {
  if (request.method === "POST") return createCalendar(world, request, user, mailbox);
  if (request.method !== "GET") return methodNotAllowed();
  const query = queryOf(request.query);
  const top = wholeNumber(query.get("$top"));
  const skip = wholeNumber(query.get("$skip")) ?? 0;
  if (top === "invalid" || skip === "invalid") return invalidOption();
  const size = Math.min(top ?? preferredPageSize(request.headers["prefer"], PAGE_SIZE_DEFAULT), PAGE_SIZE_MAX);
  let slots = aliveSlots(mailbox);
  if (!world.faults.isCalm() && world.faults.inject("halvedList", "list", mailbox.id) !== null) {
    slots = slots.filter((slot) => slot % 2 === 0);
  }
  const maker = makerFor(mailbox);
  const shown = slots.slice(skip, skip + size);
  const value = shown.map((slot) => asShownIn(request.version, calendarAt(mailbox, maker, slot)));
  const end = skip + shown.length;
  const root = `${world.switches.publicRoot}/${request.version}`;
  const rest = top === null ? "" : `%24top=${top}&`;
  const next = end < slots.length ? { "@odata.nextLink": `${root}/${user.path}/calendars?${rest}%24skip=${end}` } : {};
  return answerJson({ "@odata.context": contextOf(root, user), value, ...next });
}

function contextOf(root: string, user: UserRef): string {
  return `${root}/$metadata#users('${encodeURIComponent(user.id ?? "me")}')/calendars`;
}

function wholeNumber(text: string | undefined): number | null | "invalid" {
  if (text === undefined) return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : "invalid";
}

const invalidOption = (): Answer => refuse(400, "BadRequest", "Invalid value for $top or $skip.");

/** GET, PATCH and DELETE of one calendar. */
export function answerCalendar(
  world: World,
  request: ResourceRequest,
  user: UserRef,
  mailbox: Mailbox,
  calendarId: string,
): Answer {
  const slot = makerFor(mailbox).slotOf(calendarId);
  if (slot === null || !isAlive(mailbox, slot)) return noSuchItem();
  switch (request.method) {
    case "GET":
      return answerOne(world, request, user, mailbox, slot, 200);
    case "PATCH": {
      const values = writableValues(request.body);
      if (values === null) return refuse(400, "ErrorInvalidArgument", "A property is unknown or read-only.");
      if (Object.keys(values).length > 0) changeCalendar(mailbox, slot, values);
      return answerOne(world, request, user, mailbox, slot, 200);
    }
    case "DELETE":
      if (slot === 0) return refuse(400, "ErrorCannotDeleteObject", "The default calendar cannot be deleted.");
      removeCalendar(mailbox, slot);
      return { status: 204, body: "" };
    default:
      return methodNotAllowed();
  }
}

function createCalendar(world: World, request: ResourceRequest, user: UserRef, mailbox: Mailbox): Answer {
  const values = writableValues(request.body);
  const name = values?.["name"];
  if (values === null || typeof name !== "string" || name === "") {
    return refuse(400, "ErrorInvalidArgument", "A calendar needs a name, and only properties that can be set.");
  }
  const maker = makerFor(mailbox);
  if (aliveSlots(mailbox).some((slot) => calendarAt(mailbox, maker, slot).name === name)) {
    return refuse(409, "ErrorFolderExists", "A folder with the specified name already exists.");
  }
  return answerOne(world, request, user, mailbox, addCalendar(mailbox, values), 201);
}

function writableValues(body: unknown): CalendarChanges | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  return Object.keys(body).every((name) => WRITABLE.has(name)) ? (body as CalendarChanges) : null;
}

function answerOne(
  world: World,
  request: ResourceRequest,
  user: UserRef,
  mailbox: Mailbox,
  slot: number,
  status: number,
): Answer {
  const calendar: Calendar = asShownIn(request.version, calendarAt(mailbox, makerFor(mailbox), slot));
  const root = `${world.switches.publicRoot}/${request.version}`;
  return answerJson({ "@odata.context": `${contextOf(root, user)}/$entity`, ...calendar }, status);
}
