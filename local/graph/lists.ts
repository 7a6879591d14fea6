import { answerJson, methodNotAllowed, noSuchItem, preferredPageSize, refuse } from "./answers.js";
import { asShownIn } from "./calendars.js";
import { planOf } from "./listOptions.js";
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
  const plan = planOf(request.version, request.query);
  if ("status" in plan) return plan;
  const preferred = preferredPageSize(request.headers["prefer"], PAGE_SIZE_DEFAULT);
  const size = Math.min(plan.top ?? preferred, PAGE_SIZE_MAX);
  const all = plan.arrange(calendarsNow(world, request, mailbox));
  const end = plan.skip + size;
  const root = `${world.switches.publicRoot}/${request.version}`;
  const link = `${root}/${user.path}/calendars?${plan.carried === "" ? "" : `${plan.carried}&`}%24skip=${end}`;
  return answerJson({
    "@odata.context": `${contextOf(root, user)}${plan.selected}`,
    ...(plan.isCounted ? { "@odata.count": all.length } : {}),
    value: all.slice(plan.skip, end).map((calendar) => plan.shape(calendar)),
    ...(end < all.length ? { "@odata.nextLink": link } : {}),
  });
}

/** How many calendars there are, as text; `$filter` is taken. */
export function answerCount(world: World, request: ResourceRequest, mailbox: Mailbox): Answer {
  if (request.method !== "GET") return methodNotAllowed();
  const plan = planOf(request.version, request.query);
  if ("status" in plan) return plan;
  const { length } = plan.arrange(calendarsNow(world, request, mailbox));
  return { status: 200, body: String(length), headers: { "content-type": "text/plain" } };
}

/** The calendars as the version shows them, or what a fault leaves of them. */
function calendarsNow(world: World, { version }: ResourceRequest, mailbox: Mailbox): readonly Calendar[] {
  let slots = aliveSlots(mailbox);
  if (!world.faults.isCalm() && world.faults.inject("halvedList", "list", mailbox.id) !== null) {
    slots = slots.filter((slot) => slot % 2 === 0);
  }
  const maker = makerFor(mailbox);
  return slots.map((slot) => asShownIn(version, calendarAt(mailbox, maker, slot)));
}

function contextOf(root: string, user: UserRef): string {
  return `${root}/$metadata#users('${encodeURIComponent(user.id ?? "me")}')/calendars`;
}

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
