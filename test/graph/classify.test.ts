import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeChain, traceOf } from "../../shared/graph/answer.js";
import { classify } from "../../shared/graph/classify.js";
import { parsePage } from "../../shared/graph/page.js";
import type { Answer, Failure } from "../../shared/graph/ports.js";
import { answer, errorBody } from "../worlds/scriptedGraph.js";

const nowMs = Date.UTC(2026, 0, 1);

type Case = { given: Answer; byLink?: boolean; is: Failure["kind"]; code: string };
const html = "<html><body>Service unavailable</body></html>";
const challenge = { "WWW-Authenticate": 'Bearer realm="", error="insufficient_claims", claims="e30="' };

/** One entry for each row of the failure taxonomy; rows that no single answer shows are held elsewhere, and say where. */
const rows: Record<string, readonly Case[] | string> = {
  "1 sync state generation not found": [
    {
      given: answer(410, errorBody("SyncStateNotFound", "The sync state generation is not found")),
      is: "resetSync",
      code: "SyncStateNotFound",
    },
  ],
  "2 sync state root folder not found": [
    {
      given: answer(410, errorBody("SyncStateNotFound", "The sync state root folder is not found")),
      byLink: true,
      is: "resetSync",
      code: "SyncStateNotFound",
    },
  ],
  "3 sync state invalid": [
    { given: answer(410, errorBody("SyncStateInvalid")), is: "resetSync", code: "SyncStateInvalid" },
  ],
  "4 resync required": [
    { given: answer(410, errorBody("resyncRequired")), is: "resetSync", code: "resyncRequired" },
    { given: answer(400, errorBody("ResyncRequired")), is: "resetSync", code: "ResyncRequired" },
  ],
  "5 badly formed token": [
    {
      given: answer(400, errorBody("BadRequest", "Badly formed token.")),
      byLink: true,
      is: "resetSync",
      code: "BadRequest",
    },
  ],
  "6 directory token older than 7 days": [
    { given: answer(400, errorBody("syncStateNotFound")), is: "resetSync", code: "syncStateNotFound" },
    { given: answer(410, errorBody("syncStateNotFound")), is: "resetSync", code: "syncStateNotFound" },
  ],
  "7 invalid sync state data": [
    { given: answer(400, errorBody("InvalidSyncStateData")), is: "resetSync", code: "InvalidSyncStateData" },
    { given: answer(500, errorBody("InvalidSyncStateData")), is: "resetSync", code: "InvalidSyncStateData" },
  ],
  "8 gone, with a Location": [
    {
      given: answer(410, "", { Location: "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=" }),
      is: "resetSync",
      code: "http410",
    },
    { given: answer(410, errorBody("SomethingNew")), is: "resetSync", code: "SomethingNew" },
  ],
  "9 tracked folder vanished": [
    { given: answer(404, errorBody("ErrorSyncFolderNotFound")), is: "resetSync", code: "ErrorSyncFolderNotFound" },
  ],
  "10 item not found": [
    {
      given: answer(404, errorBody("ErrorItemNotFound")),
      byLink: true,
      is: "resetSync",
      code: "ErrorItemNotFound",
    },
    { given: answer(404, errorBody("ErrorItemNotFound")), byLink: false, is: "denied", code: "ErrorItemNotFound" },
  ],
  "11 change tracking not supported": [
    {
      given: answer(
        400,
        errorBody("BadRequest", "Change tracking is not supported against 'microsoft.graph.calendar'."),
      ),
      is: "featureUnavailable",
      code: "BadRequest",
    },
  ],
  "12 route unknown": [
    {
      given: answer(400, errorBody("RequestBroker--ParseUri")),
      is: "featureUnavailable",
      code: "RequestBroker--ParseUri",
    },
    {
      given: answer(404, errorBody("BadRequest", "Resource not found for the segment 'delta'.")),
      is: "featureUnavailable",
      code: "BadRequest",
    },
    {
      given: answer(404, errorBody("ResourceNotFound", "Resource not found for the segment 'delta'.")),
      is: "featureUnavailable",
      code: "ResourceNotFound",
    },
  ],
  "13 route read as an id": [
    {
      given: answer(400, errorBody("ErrorInvalidIdMalformed", "Id is malformed.")),
      is: "featureUnavailable",
      code: "ErrorInvalidIdMalformed",
    },
  ],
  "14 id not escaped": [
    {
      given: answer(400, errorBody("ErrorInvalidIdMalformed")),
      is: "featureUnavailable",
      code: "ErrorInvalidIdMalformed",
    },
  ],
  "15 refused query option": [
    {
      given: answer(400, errorBody("ErrorInvalidUrlQuery", "The following parameters are not supported")),
      is: "featureUnavailable",
      code: "ErrorInvalidUrlQuery",
    },
  ],
  "16 not implemented": [
    { given: answer(501, errorBody("NotImplemented")), is: "featureUnavailable", code: "NotImplemented" },
    { given: answer(501), is: "featureUnavailable", code: "http501" },
  ],
  "17 beta call in a v1.0 batch": [{ given: answer(405), is: "featureUnavailable", code: "http405" }],
  "18 mailbox not enabled": [
    {
      given: answer(404, errorBody("MailboxNotEnabledForRESTAPI")),
      is: "noMailbox",
      code: "MailboxNotEnabledForRESTAPI",
    },
    {
      given: answer(401, errorBody("MailboxNotEnabledForRESTAPI")),
      is: "noMailbox",
      code: "MailboxNotEnabledForRESTAPI",
    },
  ],
  "19 mailbox not supported": [
    {
      given: answer(404, errorBody("MailboxNotSupportedForRESTAPI")),
      is: "noMailbox",
      code: "MailboxNotSupportedForRESTAPI",
    },
  ],
  "20 resource could not be discovered": [
    {
      given: answer(404, errorBody("ResourceNotFound", "Resource could not be discovered.")),
      is: "noMailbox",
      code: "ResourceNotFound",
    },
  ],
  "21 invalid user": [
    {
      given: answer(404, errorBody("ErrorInvalidUser", "The requested user 'x@y' is invalid.")),
      is: "noMailbox",
      code: "ErrorInvalidUser",
    },
  ],
  "22 non-existent mailbox": [
    { given: answer(404, errorBody("ErrorNonExistentMailbox")), is: "noMailbox", code: "ErrorNonExistentMailbox" },
  ],
  "23 directory object gone": [
    { given: answer(404, errorBody("Request_ResourceNotFound")), is: "noMailbox", code: "Request_ResourceNotFound" },
  ],
  "24 provisioning": "An answer alone does not show it: how soon a mailbox is looked at again decides.",
  "25 empty 404": [
    { given: answer(404), is: "unreadable", code: "http404" },
    { given: answer(404, html), is: "unreadable", code: "http404" },
    { given: answer(404), byLink: true, is: "unreadable", code: "http404" },
  ],
  "26 access denied": [
    {
      given: answer(403, errorBody("ErrorAccessDenied", "Access is denied. Check credentials and try again.")),
      is: "denied",
      code: "ErrorAccessDenied",
    },
  ],
  "27 access denied by policy": [
    {
      given: answer(403, errorBody("ErrorAccessDenied", "Access to OData is disabled: [RAOP] : Blocked")),
      is: "denied",
      code: "ErrorAccessDenied",
    },
    {
      given: answer(403, errorBody("Forbidden", "Access to OData is disabled: [RAOP] : Blocked")),
      is: "denied",
      code: "Forbidden",
    },
  ],
  "28 directory permission missing": [
    {
      given: answer(403, errorBody("Authorization_RequestDenied")),
      is: "authConfig",
      code: "Authorization_RequestDenied",
    },
  ],
  "29 extension error": [{ given: answer(403, errorBody("extensionError")), is: "denied", code: "extensionError" }],
  "30 insufficient claims, forbidden": [
    { given: answer(403, errorBody("insufficient_claims")), is: "authConfig", code: "insufficient_claims" },
    { given: answer(403, "", challenge), is: "authConfig", code: "insufficient_claims" },
  ],
  "31 mailbox full": [
    {
      given: answer(403, errorBody("ErrorQuotaExceeded", "The mailbox exceeded the maximum mailbox size.")),
      is: "mailboxFull",
      code: "ErrorQuotaExceeded",
    },
  ],
  "32 token refused": [
    {
      given: answer(401, errorBody("InvalidAuthenticationToken")),
      is: "authConfig",
      code: "InvalidAuthenticationToken",
    },
    { given: answer(401), is: "authConfig", code: "http401" },
  ],
  "33 claims challenge": [
    {
      given: answer(401, errorBody("InvalidAuthenticationToken"), challenge),
      is: "authConfig",
      code: "insufficient_claims",
    },
  ],
  "34 mailbox info stale": [
    { given: answer(503, errorBody("MailboxInfoStale")), is: "transient", code: "MailboxInfoStale" },
  ],
  "35 mailbox moves": [
    {
      given: answer(503, errorBody("ErrorMailboxMoveInProgress")),
      is: "transient",
      code: "ErrorMailboxMoveInProgress",
    },
    {
      given: answer(500, errorBody("ErrorMailboxStoreUnavailable")),
      is: "transient",
      code: "ErrorMailboxStoreUnavailable",
    },
  ],
  "36 internal, transient": [
    {
      given: answer(500, errorBody("ErrorInternalServerTransientError")),
      is: "transient",
      code: "ErrorInternalServerTransientError",
    },
  ],
  "37 unknown error": [500, 503, 504].map((status) => ({
    given: answer(status, errorBody("UnknownError")),
    is: "transient" as const,
    code: "UnknownError",
  })),
  "38 overload": [
    {
      given: answer(503, errorBody("serviceNotAvailable", "SystemMemoryProtectionUtilizationMonitor is unhealthy.")),
      is: "transient",
      code: "serviceNotAvailable",
    },
  ],
  "39 server fault": [
    { given: answer(503), is: "transient", code: "http503" },
    { given: answer(502, html), is: "transient", code: "http502" },
    { given: answer(500, "{}"), is: "transient", code: "http500" },
  ],
  "40 network fault": "There is no answer to classify: see the transport's tests.",
  "41 mailbox concurrency": [
    { given: answer(429, errorBody("ApplicationThrottled")), is: "throttled", code: "ApplicationThrottled" },
  ],
  "42 too many requests": [
    { given: answer(429, errorBody("TooManyRequests")), is: "throttled", code: "TooManyRequests" },
    { given: answer(429, errorBody("ErrorTooManyObjectsOpened")), is: "throttled", code: "ErrorTooManyObjectsOpened" },
    { given: answer(429, html), is: "throttled", code: "http429" },
  ],
  "43 quota or overload": [
    { given: answer(503, errorBody("activityLimitReached")), is: "throttled", code: "activityLimitReached" },
    { given: answer(403, errorBody("quota", "", "throttledRequest")), is: "throttled", code: "throttledRequest" },
    { given: answer(509), is: "throttled", code: "http509" },
  ],
  "44 failed dependency": [{ given: answer(424), is: "transient", code: "http424" }],
  "45 duplicate item id": "It is about the batch: see the client's tests, no mailbox is blamed.",
  "46 batch body unreadable": "There is no answer to classify: see the client's tests.",
  "47 endless pages": "It takes several pages: the round counts equal payload hashes, see the tests of pages.",
  "48 unknown 4xx": [
    { given: answer(400, errorBody("SomethingNew")), is: "noMailbox", code: "SomethingNew" },
    { given: answer(404, errorBody("SomethingNew")), is: "noMailbox", code: "SomethingNew" },
    { given: answer(418, html), is: "noMailbox", code: "http418" },
    ...[408, 409, 423, 425].map((status) => ({
      given: answer(status, errorBody("SomethingNew")),
      is: "transient" as const,
      code: "SomethingNew",
    })),
    { given: answer(403), is: "denied", code: "http403" },
    { given: answer(403, errorBody("UnknownError")), is: "denied", code: "UnknownError" },
    { given: answer(403, errorBody("forbidden", "", "serviceReadOnly")), is: "transient", code: "serviceReadOnly" },
  ],
  "49 unknown 5xx": [
    { given: answer(500, errorBody("SomethingNew")), is: "transient", code: "SomethingNew" },
    { given: answer(599), is: "transient", code: "http599" },
  ],
};

test("the table has all rows of the taxonomy, 1 to 49", () => {
  expect(Object.keys(rows).map((row) => Number.parseInt(row, 10))).toEqual(
    Array.from({ length: 49 }, (_, index) => index + 1),
  );
});

const cases = Object.entries(rows).flatMap(([row, list]) =>
  typeof list === "string" ? [] : list.map((each) => ({ row, byLink: false, ...each })),
);

test.each(cases)("row $row: $given.status means $is, reported as $code", ({ given, byLink, is, code }) => {
  expect(classify(given, byLink, nowMs)).toMatchObject({ kind: is, code });
});

describe("codes", () => {
  test("are compared without case, and reported in Graph's own spelling", () => {
    expect(classify(answer(400, errorBody("sYNCsTATEnOTfOUND")), true, nowMs)).toEqual({
      kind: "resetSync",
      code: "sYNCsTATEnOTfOUND",
    });
  });

  test("the innermost known one counts, in innerError and innererror alike", () => {
    const given = answer(403, errorBody("ErrorAccessDenied", "", "ErrorQuotaExceeded", "SomethingNew"));
    expect(codeChain(given)).toEqual(["ErrorAccessDenied", "ErrorQuotaExceeded", "SomethingNew"]);
    expect(classify(given, false, nowMs)).toEqual({ kind: "mailboxFull", code: "ErrorQuotaExceeded" });
  });

  test("outweigh words in the message", () => {
    const given = answer(403, errorBody("ErrorAccessDenied", "Badly formed token"));
    expect(classify(given, true, nowMs).kind).toBe("denied");
  });

  test("outweigh the bare status", () => {
    expect(classify(answer(500, errorBody("ErrorNonExistentMailbox")), false, nowMs).kind).toBe("noMailbox");
  });

  test("that break a log line or a column are mended and cut", () => {
    const [code = ""] = codeChain(answer(400, errorBody(`x\r\ny${"z".repeat(500)}`)));
    expect(code).toMatch(/^x\?\?yz{1,76}$/);
  });
});

test("a wait that Graph asks for is kept with throttles and with transient failures", () => {
  const headers = { "retry-after": "600" };
  expect(classify(answer(429, "", headers), false, nowMs)).toEqual({
    kind: "throttled",
    code: "http429",
    retryAfterMs: 600_000,
  });
  expect(classify(answer(503, "", headers), false, nowMs)).toEqual({
    kind: "transient",
    code: "http503",
    retryAfterMs: 600_000,
  });
  expect(classify(answer(429), false, nowMs)).toEqual({ kind: "throttled", code: "http429", retryAfterMs: null });
});

test("I8: a redirect is not followed, it is a transient failure", () => {
  for (const status of [301, 302, 307, 308]) {
    expect(classify(answer(status, "", { location: "https://evil.example/" }), false, nowMs)).toMatchObject({
      kind: "transient",
      code: "redirect",
    });
  }
});

test("what support asks for is found in headers, else in the error, and is cut", () => {
  const headers = { "request-id": "r1", "X-MS-AGS-Diagnostic": `{"ServerInfo":${"x".repeat(900)}` };
  expect(traceOf(answer(500, "", headers))).toEqual({ requestId: "r1", diagnostic: expect.stringMatching(/^.{300}$/) });
  expect(traceOf(answer(500, { error: { innerError: { "request-id": "r2" } } }))).toEqual({
    requestId: "r2",
    diagnostic: null,
  });
});

test("I3: whatever comes, the classification is total, and never a page", () => {
  const bodies = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ error: fc.object({ maxDepth: 4 }) }),
    fc.jsonValue().map((code) => ({ error: { code, innerError: { code } } })),
  );
  fc.assert(
    fc.property(fc.integer({ min: -1, max: 1200 }), bodies, fc.boolean(), (status, body, byLink) => {
      const failure = classify(answer(status, body), byLink, nowMs);
      expect(["page", "lastPage"]).not.toContain(failure.kind);
      expect(failure.code).toMatch(/^[\x20-\x7e]{1,80}$/);
    }),
  );
});

test("I3: an error body never reads as a page", () => {
  expect(parsePage(errorBody("ErrorAccessDenied"), "list")).toMatchObject({
    kind: "unreadable",
    code: "malformedPage",
  });
});
