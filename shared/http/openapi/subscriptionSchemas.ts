import * as z from "zod";
import { text, textOrNull, time } from "../../views/schemaParts.js";
import { subscriptionLimits } from "../beta/subscriptionRequest.js";

/** The shapes of subscriptions, and of what their subscribers are sent. As with calendars, none leaves a choice between several. */

const changeType = text.describe("`created`, `updated`, `deleted`, one or several with commas between.");
const resource = text.describe("`users/{id}/calendars` or `users/getAllCalendars`, with or without a slash before it.");
const notificationUrl = text
  .max(subscriptionLimits.urlUnitsMax)
  .describe("Where notifications go, by https. It is asked for its consent at once.");
const expirationDateTime = time.describe(
  `With its offset, and ${subscriptionLimits.lifetimeMsMax / 60_000} minutes ahead at most.`,
);
const lifecycle = "Where notifications of the subscription itself go. It is asked as well.";
const contentType =
  "`application/json` for Graph's collection; `application/cloudevents+json` or `application/cloudevents-batch+json` for CloudEvents 1.0.";
const tlsVersion = "`v1_2` or `v1_3`.";

export const newSubscriptionSchema = z
  .looseObject({
    changeType,
    notificationUrl,
    resource,
    expirationDateTime,
    clientState: text
      .max(subscriptionLimits.clientStateUnitsMax)
      .optional()
      .describe("Given back in each notification, and never otherwise."),
    lifecycleNotificationUrl: text.max(subscriptionLimits.urlUnitsMax).optional().describe(lifecycle),
    latestSupportedTlsVersion: text.optional().describe(tlsVersion),
    notificationContentType: text.optional().describe(contentType),
  })
  .meta({ id: "NewSubscription", description: "What a program asks to be told of, and where." });

export const subscriptionUpdateSchema = z
  .looseObject({
    expirationDateTime: expirationDateTime.optional(),
    notificationUrl: notificationUrl.optional(),
  })
  .meta({ id: "SubscriptionUpdate", description: "What changes of a subscription: one of the two, or both." });

const none = textOrNull.describe("Graph's. The mirror has none: null.");

const subscriptionSchema = z
  .looseObject({
    id: text.describe("A GUID."),
    resource: resource.describe("As its creator wrote it."),
    changeType,
    clientState: textOrNull.describe("Never read back: null."),
    notificationUrl: text.describe("Where notifications go."),
    lifecycleNotificationUrl: textOrNull.describe("Where notifications of the subscription itself go."),
    expirationDateTime: time.describe("When it ends, unless it is renewed before."),
    latestSupportedTlsVersion: text.describe(tlsVersion),
    notificationContentType: text.describe(contentType),
    applicationId: none,
    creatorId: none,
    notificationQueryOptions: none,
    notificationUrlAppId: none,
    includeResourceData: z.boolean().nullable().describe("Graph's. Notifications name ids alone: null."),
    encryptionCertificate: none,
    encryptionCertificateId: none,
    "@calendarMirror.missedDateTime": time
      .optional()
      .describe("When it last missed something: its subscriber is to read all anew. Absent: it never has."),
  })
  .meta({ id: "Subscription", description: "What another program has asked to be told of." });

const context = text.describe("What the answer holds, as the metadata document names it.");

export const subscriptionEntitySchema = z
  .intersection(subscriptionSchema, z.looseObject({ "@odata.context": context }))
  .meta({ id: "SubscriptionEntity", description: "One subscription, as an answer of its own." });

export const createdSubscriptionSchema = z
  .intersection(
    subscriptionSchema,
    z.looseObject({
      "@odata.context": context,
      "@calendarMirror.signingSecret": text.describe(
        "Signs each notification after Standard Webhooks. It is told here, and never again.",
      ),
    }),
  )
  .meta({
    id: "CreatedSubscription",
    description: "A new subscription, with the secret that signs its notifications.",
  });

export const subscriptionCollectionSchema = z
  .object({ "@odata.context": context, value: z.array(subscriptionSchema) })
  .meta({ id: "SubscriptionCollection", description: "All subscriptions, on one page." });

const resourceDataSchema = z
  .looseObject({
    "@odata.type": text.describe("`#Microsoft.Graph.Calendar`; of a mailbox as a whole `#Microsoft.Graph.User`."),
    "@odata.id": text.describe("Its path."),
    id: text.describe("Of the calendar, or of the user."),
  })
  .meta({ id: "ResourceData", description: "What has changed: its id and its path, and no content." });

const changeNotificationSchema = z
  .looseObject({
    id: text.optional().describe("The same each time that this one is sent. Lifecycle notifications have none."),
    subscriptionId: text.describe("Which subscription it is for."),
    subscriptionExpirationDateTime: time.describe("When that ends."),
    clientState: text.optional().describe("As the subscription was created with; absent where it was given none."),
    changeType: text.optional().describe("`created`, `updated` or `deleted`."),
    resource: text
      .optional()
      .describe(
        "`users/{id}/calendars/{id}`; or `users/{id}/calendars`, to be read anew; or `users/{id}`, who has joined or left.",
      ),
    resourceData: resourceDataSchema.optional(),
    tenantId: text.describe("Zeros where the mirror does not know it."),
    lifecycleEvent: text
      .optional()
      .describe("In the place of a change: `reauthorizationRequired`, to renew; or `missed`, to read all anew."),
  })
  .meta({ id: "ChangeNotification", description: "One change of a resource, or what becomes of the subscription." });

export const changeNotificationsSchema = z
  .looseObject({ value: z.array(changeNotificationSchema) })
  .meta({ id: "ChangeNotificationCollection", description: "Notifications, a mailbox's in their order." });

export const cloudEventSchema = z
  .looseObject({
    specversion: text,
    id: text.describe("The same each time that it is sent."),
    type: text.describe("As Graph's in Event Grid, such as `Microsoft.Graph.CalendarUpdated`."),
    source: text.describe("`/tenants/{id}/subscriptions/{id}`."),
    subject: text.optional().describe("The path of what has changed."),
    time,
    datacontenttype: text,
    data: changeNotificationSchema,
  })
  .meta({ id: "CloudEvent", description: "A notification as a CloudEvent 1.0, whose data is Graph's." });
