import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import { seatSchema } from "./fleet.js";
import { ref } from "./parts.js";

const text: JsonObject = { type: "string" };
const count: JsonObject = { type: "integer", minimum: 0 };
const flag: JsonObject = { type: "boolean" };
const textOrNull: JsonObject = { type: ["string", "null"] };
const timeOrNull: JsonObject = { type: ["string", "null"], format: "date-time" };
const url: JsonObject = { type: "string", format: "uri" };

const calendarProperties: JsonObject = {
  id: { ...text, minLength: 1 },
  name: textOrNull,
  color: textOrNull,
  hexColor: textOrNull,
  changeKey: textOrNull,
  isDefaultCalendar: flag,
  isRemovable: flag,
  canEdit: flag,
  canShare: flag,
  canViewPrivateItems: flag,
  owner: {
    type: ["object", "null"],
    properties: { name: textOrNull, address: textOrNull },
  },
};

const mailboxProperties: JsonObject = {
  id: text,
  displayName: textOrNull,
  state: { enum: mailboxStates },
  phase: { enum: ["initial", "full", "incremental", "idle"] },
  strategy: { enum: ["delta", "list"] },
  calendarCount: count,
  generation: count,
  sequence: count,
  notBefore: timeOrNull,
  lastSuccess: timeOrNull,
  lastChange: timeOrNull,
  lastFullRound: timeOrNull,
  failuresInARow: count,
  lastErrorCode: textOrNull,
  parkedReason: textOrNull,
  heldRemovals: { type: ["integer", "null"], minimum: 0 },
  driftFound: count,
};

/** The bodies that our routes take and give. */
export const schemas: JsonObject = {
  Calendar: {
    type: "object",
    description: "microsoft.graph.calendar, with every property that Graph gave, also ones that are not named here.",
    required: ["id"],
    properties: calendarProperties,
    additionalProperties: true,
  },
  CalendarEntity: {
    allOf: [ref("Calendar"), { type: "object", required: ["@odata.context"], properties: { "@odata.context": url } }],
  },
  CalendarCollection: {
    type: "object",
    required: ["@odata.context", "value"],
    properties: {
      "@odata.context": url,
      value: { type: "array", items: ref("Calendar") },
      "@odata.nextLink": url,
    },
    additionalProperties: false,
  },
  RemovedCalendar: {
    type: "object",
    required: ["@odata.type", "id", "@removed"],
    properties: {
      "@odata.type": { const: "#microsoft.graph.calendar" },
      id: { ...text, minLength: 1 },
      "@removed": {
        type: "object",
        required: ["reason"],
        properties: { reason: { const: "deleted" } },
        additionalProperties: false,
      },
    },
    additionalProperties: false,
  },
  ChangedCalendar: {
    allOf: [
      ref("Calendar"),
      { type: "object", required: ["@odata.type"], properties: { "@odata.type": text, "@removed": false } },
    ],
  },
  CalendarDeltaPage: {
    type: "object",
    description: "Exactly one of the two links: more of this walk, or its end.",
    required: ["@odata.context", "value"],
    properties: {
      "@odata.context": url,
      value: { type: "array", items: { oneOf: [ref("ChangedCalendar"), ref("RemovedCalendar")] } },
      "@odata.nextLink": url,
      "@odata.deltaLink": url,
    },
    oneOf: [{ required: ["@odata.nextLink"] }, { required: ["@odata.deltaLink"] }],
    additionalProperties: false,
  },
  Mailbox: {
    type: "object",
    required: Object.keys(mailboxProperties),
    properties: { ...mailboxProperties, roster: seatSchema },
    additionalProperties: false,
  },
  NewMailbox: {
    type: "object",
    properties: { displayName: { ...text, maxLength: 256 }, source: { enum: ["manual"] } },
    additionalProperties: false,
  },
  Error: {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["code", "message", "innerError"],
        properties: {
          code: text,
          message: text,
          innerError: {
            type: "object",
            required: ["date", "request-id", "client-request-id"],
            properties: { date: text, "request-id": text, "client-request-id": text },
          },
        },
      },
    },
  },
};
