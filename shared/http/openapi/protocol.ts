import * as z from "zod";
import type { JsonObject } from "../../sync/types.js";
import { text } from "../../views/schemaParts.js";
import { batchLimits } from "../beta/batch.js";
import { collectionExample, userId } from "./calendarExamples.js";
import { json, noKey, ref, refused } from "./parts.js";

/** What OData has beside reads: the metadata document and batches. */

const common: JsonObject = { tags: ["OData"] };

const headers = z.record(text, text).describe("By name.");

const batchRequestSchema = z
  .looseObject({
    id: text.describe("Names the request among the others."),
    method: text.describe("GET or HEAD; of subscriptions also POST, PATCH and DELETE."),
    url: text.describe(
      `Behind \`/beta\`, such as \`/users/{id}/calendars?$top=5\`, in ${batchLimits.urlCharsMax} characters at most.`,
    ),
    headers: headers.optional(),
    body: z.unknown().optional().describe("What a request that takes a body is sent with."),
    dependsOn: z
      .array(text)
      .optional()
      .describe("Ids of requests that must have succeeded before; else this one answers 424."),
  })
  .meta({ id: "BatchRequest", description: "One request of a batch." });

const batchSchema = z
  .looseObject({ requests: z.array(batchRequestSchema).max(batchLimits.requestsMax) })
  .meta({ id: "Batch", description: "Requests that are sent together." });

const batchResponseSchema = z
  .looseObject({
    id: text.describe("Of the request that it answers."),
    status: z.int().min(100).max(599),
    headers: headers.optional(),
    body: z.unknown().optional().describe("What the request would have got alone: a page, a calendar, or an error."),
  })
  .meta({ id: "BatchResponse", description: "The answer to one request of a batch." });

const batchAnswerSchema = z
  .object({ responses: z.array(batchResponseSchema) })
  .meta({ id: "BatchAnswer", description: "One answer for each request, in the order of the requests." });

const metadata: JsonObject = {
  operationId: "getMetadata",
  summary: "Get the metadata document",
  description: "What the mirror serves below `/beta`, as OData CSDL: each `@odata.context` names a part of it.",
  ...common,
  responses: {
    "200": {
      description: "CSDL 4.0.",
      content: {
        "application/xml": {
          schema: { type: "string" },
          example: '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">…</edmx:Edmx>',
        },
      },
    },
    "401": noKey,
  },
};

const batch: JsonObject = {
  operationId: "sendBatch",
  summary: "Send several requests at once",
  description:
    `At most ${batchLimits.requestsMax} requests in one, each answered as it would be alone. A whole batch succeeds even where ` +
    "single requests fail: look at the status of each.",
  ...common,
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: ref(batchSchema),
        example: { requests: [{ id: "1", method: "GET", url: `/users/${userId}/calendars` }] },
      },
    },
  },
  responses: {
    "200": json("The answers.", batchAnswerSchema, {
      responses: [{ id: "1", status: 200, headers: { "content-type": "application/json" }, body: collectionExample }],
    }),
    "400": refused("The body is no batch, has too many requests, names one twice, or makes one wait for itself.", [
      "BadRequest",
      'The request "1" waits by dependsOn for itself.',
    ]),
    "401": noKey,
  },
};

export const protocolPaths: JsonObject = {
  "/beta/$metadata": { get: metadata },
  "/beta/$batch": { post: batch },
};
