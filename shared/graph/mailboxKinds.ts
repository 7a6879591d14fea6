import type { Log } from "../log.js";
import { kindOfPurpose, type MailboxKind } from "../sync/mailboxKind.js";
import { isJsonObject } from "../sync/types.js";
import { traceOf } from "./answer.js";
import { type BatchItem, batchBody, parseBatch } from "./batch.js";
import { classify, saysNoMailbox } from "./classify.js";
import { graphLimits } from "./limits.js";
import type { Answer, Clock, Transport } from "./ports.js";
import { retryAfterMs } from "./retryAfter.js";

/**
 * What was learned of one mailbox. `none`: Graph knows no mailbox of this user, or none that it may show. `denied`: we may
 * not read its settings. `failed`: not now.
 */
export type KindAnswer =
  | { readonly kind: "known"; readonly mailboxKind: MailboxKind }
  | { readonly kind: "none" | "denied"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs: number | null };

export type MailboxKindsClient = {
  /**
   * Asks for the kinds of up to 20 mailboxes in one request. Never throws for anything that Graph or the network does.
   * @param ids Object ids of users. @returns One answer for each, in their order.
   * @throws Error for more ids than a batch takes: a mistake in the program.
   */
  kindsOf(ids: readonly string[]): Promise<readonly KindAnswer[]>;
};

export type MailboxKindsOptions = {
  readonly settings: { readonly version: string };
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Reads `mailboxSettings/userPurpose`, for which `MailboxSettings.Read` is needed. In a batch, for there is no other way to
 * ask for many: it is no property of the directory.
 * @see https://learn.microsoft.com/graph/api/user-get-mailboxsettings
 */
export function createMailboxKindsClient({ settings, transport, clock, log }: MailboxKindsOptions): MailboxKindsClient {
  return {
    async kindsOf(ids) {
      if (ids.length > graphLimits.itemsPerBatchMax) throw new Error(`${ids.length} ids, and a batch takes 20.`);
      if (ids.length === 0) return [];
      const requests = ids.map((id) => ({
        url: `/users/${encodeURIComponent(id)}/mailboxSettings/userPurpose`,
        clientRequestId: transport.nextRequestId(),
      }));
      const sent = await transport.send({
        method: "POST",
        rawTarget: `/${settings.version}/$batch`,
        headers: {},
        body: batchBody(requests, null),
      });
      if (sent.kind === "fault") return ids.map(() => failed(sent.failure.code, null));
      const { answer } = sent;
      const items = answer.status === 200 ? parseBatch(answer.body, ids.length) : null;
      if (items === null) {
        const { code } = classify(answer, false, clock.nowMs());
        log("warn", "Graph refused", { outcome: "mailboxKinds", code, status: answer.status, ...traceOf(answer) });
        return ids.map(() =>
          failed(answer.status === 200 ? "malformedBatch" : code, retryAfterMs(answer, clock.nowMs())),
        );
      }
      return items.map((item) => answerOf(item, clock.nowMs()));
    },
  };
}

function answerOf(item: BatchItem, nowMs: number): KindAnswer {
  if (typeof item === "string") return failed("malformedBatch", null);
  if (item.status === 200) {
    const purpose = purposeOf(item);
    return purpose === null ? failed("malformedPage", null) : { kind: "known", mailboxKind: kindOfPurpose(purpose) };
  }
  const failure = classify(item, false, nowMs);
  const { code } = failure;
  if (item.status === 403 && failure.kind !== "transient") return { kind: "denied", code };
  // A refusal that we cannot read is no evidence: by it a leaver would be made of whose sign-in is disabled (I3).
  if (saysNoMailbox(failure)) return { kind: "none", code };
  return failed(code, retryAfterMs(item, nowMs));
}

/** The property alone comes as `value`; the settings as a whole would name it. */
function purposeOf({ body }: Answer): string | null {
  if (body.shape !== "json" || !isJsonObject(body.value)) return null;
  const purpose = body.value["value"] ?? body.value["userPurpose"];
  return typeof purpose === "string" && purpose !== "" ? purpose : null;
}

function failed(code: string, retryAfterMs: number | null): KindAnswer {
  return { kind: "failed", code, retryAfterMs };
}
