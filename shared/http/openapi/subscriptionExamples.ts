import type { JsonObject } from "../../sync/types.js";
import { calendarId, userId } from "./calendarExamples.js";

/** Bodies about subscriptions as they may be. */

const context = "https://mirror.example/api/beta/$metadata#subscriptions";
export const subscriptionId = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";
const notificationUrl = "https://receiver.example/notifications";
const expirationDateTime = "2026-12-04T09:30:00.000Z";
const tenantId = "7c3f0000-0000-4000-8000-000000000001";
const clientState = "known to the receiver";

export const newSubscriptionExample: JsonObject = {
  changeType: "created,updated,deleted",
  notificationUrl,
  resource: "users/getAllCalendars",
  expirationDateTime,
  clientState,
};

const subscription: JsonObject = {
  id: subscriptionId,
  resource: "users/getAllCalendars",
  applicationId: null,
  changeType: "created,updated,deleted",
  clientState: null,
  notificationUrl,
  notificationQueryOptions: null,
  lifecycleNotificationUrl: null,
  expirationDateTime,
  creatorId: null,
  includeResourceData: null,
  latestSupportedTlsVersion: "v1_2",
  encryptionCertificate: null,
  encryptionCertificateId: null,
  notificationUrlAppId: null,
  notificationContentType: "application/json",
};

export const subscriptionExample: JsonObject = { "@odata.context": `${context}/$entity`, ...subscription };
export const createdExample: JsonObject = {
  ...subscriptionExample,
  "@calendarMirror.signingSecret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
};
export const subscriptionsExample: JsonObject = { "@odata.context": context, value: [subscription] };

const told: JsonObject = { subscriptionId, subscriptionExpirationDateTime: expirationDateTime, clientState };
const resource = `users/${userId}/calendars/${calendarId}`;
const change: JsonObject = {
  id: "00-12-3-0",
  ...told,
  changeType: "updated",
  resource,
  resourceData: { "@odata.type": "#Microsoft.Graph.Calendar", "@odata.id": resource, id: calendarId },
  tenantId,
};
const reauthorize: JsonObject = { ...told, tenantId, lifecycleEvent: "reauthorizationRequired" };

const eventOf = (id: string, type: string, data: JsonObject, more: JsonObject = {}): JsonObject => ({
  specversion: "1.0",
  id,
  type: `Microsoft.Graph.${type}`,
  source: `/tenants/${tenantId}/subscriptions/${subscriptionId}`,
  ...more,
  time: "2026-11-28T09:30:00.000Z",
  datacontenttype: "application/json",
  data,
});

export const changesExample: JsonObject = { value: [change] };
export const changeEventExample = eventOf("00-12-3-0", "CalendarUpdated", change, { subject: resource });
export const lifecycleExample: JsonObject = { value: [reauthorize] };
export const lifecycleEventExample = eventOf(
  "reauthorizationRequired-1796376600000",
  "SubscriptionReauthorizationRequired",
  reauthorize,
);
