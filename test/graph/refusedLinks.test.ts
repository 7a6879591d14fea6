import { describe, expect, test } from "vitest";
import { classify } from "../../shared/graph/classify.js";
import { answer, errorBody } from "../worlds/scriptedGraph.js";

const nowMs = Date.UTC(2026, 0, 1);
const html = "<html><body>Refused</body></html>";

describe("I7: of a link, what is not known to concern the mailbox or the application is said of the link", () => {
  test.each([
    [404, "UnknownError"],
    [400, "BadRequest"],
    [400, "SomethingNew"],
    [404, "itemNotFound"],
    [404, "ResourceNotFound"],
    [400, "ErrorInvalidIdMalformed"],
    [400, "RequestBroker--ParseUri"],
    [400, "ErrorInvalidUrlQuery"],
    [501, "NotImplemented"],
    ...[400, 405, 406, 411, 412, 413, 414, 415, 416, 418, 422, 431, 451, 501].map((status) => [status, null] as const),
  ] as const)("%s %s is a refusal of the link, and of the start what it was", (status, code) => {
    const given = answer(status, code === null ? html : errorBody(code));
    expect(classify(given, true, nowMs)).toEqual({ kind: "linkRefused", code: code ?? `http${status}` });
    expect(["noMailbox", "featureUnavailable"]).toContain(classify(given, false, nowMs).kind);
  });

  test.each([
    [404, "MailboxNotEnabledForRESTAPI", "noMailbox"],
    [404, "MailboxNotSupportedForRESTAPI", "noMailbox"],
    [404, "ErrorInvalidUser", "noMailbox"],
    [404, "ErrorNonExistentMailbox", "noMailbox"],
    [404, "Request_ResourceNotFound", "noMailbox"],
    [403, "ErrorAccessDenied", "denied"],
    [403, "SomethingNew", "denied"],
    [403, "extensionError", "denied"],
    [403, "ErrorQuotaExceeded", "mailboxFull"],
    [403, "Authorization_RequestDenied", "authConfig"],
    [401, "InvalidAuthenticationToken", "authConfig"],
    [429, "TooManyRequests", "throttled"],
    [503, "UnknownError", "transient"],
    [409, "Conflict", "transient"],
    [423, "Locked", "transient"],
    [410, "SomethingNew", "resetSync"],
  ] as const)("%s %s means %s, whatever was asked", (status, code, kind) => {
    for (const byLink of [true, false]) {
      expect(classify(answer(status, errorBody(code)), byLink, nowMs)).toMatchObject({ kind, code });
    }
  });
});
