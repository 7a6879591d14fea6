import type { Checkpoint } from "../../sync/types.js";
import { type Answer, refusal } from "../handler.js";
import { freshnessOf, namesOf } from "./freshness.js";
import type { Mistake } from "./queryOptions.js";

/** What all answers below `/beta` have in common. */

/** The `@odata.context` of an answer. @param fragment What the answer is, in terms of the metadata document. */
export function contextOf(
  { origin, root }: { readonly origin: string; readonly root: string },
  fragment: string,
): string {
  return `${origin}${root}/$metadata#${fragment}`;
}

/**
 * The fragment of an `@odata.context` for items of all mailboxes. With its namespace, by which a reader finds the type in the
 * metadata document: Graph leaves it out of a delta page's, and so do we there. @param type `entity` where removed users are among them.
 */
export function collectionOf(type: "calendar" | "entity"): string {
  return `Collection(microsoft.graph.${type})`;
}

/**
 * The headers of an answer in JSON, as Graph has them. `odata.streaming`: annotations stand before what they belong to, and
 * a reader that trusts in that need not keep an item to find its type. OData.Core finds no `@odata.type` beside `@removed` without it.
 */
export const odataHeaders: Readonly<Record<string, string>> = {
  "content-type": "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
  "odata-version": "4.0",
};

/** The headers of an answer that tells of one mailbox. */
export function headersOf(checkpoint: Checkpoint, nowMs: number): Record<string, string> {
  return {
    ...odataHeaders,
    "cache-control": "private, no-cache",
    ...freshnessOf(checkpoint, nowMs),
    ...namesOf(checkpoint),
  };
}

/** The 400 of a query option that is not accepted. */
export function badRequest({ code, mistake }: Mistake): Answer {
  return refusal(400, code, mistake);
}
