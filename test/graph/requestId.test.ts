import { expect, test } from "vitest";
import { classify } from "../../shared/graph/classify.js";
import type { Answer } from "../../shared/graph/ports.js";
import { answer, ask, errorBody, openClient, scriptedTransport } from "../worlds/scriptedGraph.js";

const nowMs = Date.UTC(2026, 0, 1);

test("a failure carries Graph's request id, cut like all that is stored; an answer without one carries none", () => {
  const failed = (given: Answer) => classify(given, false, nowMs).requestId;
  expect(failed(answer(403, errorBody("ErrorAccessDenied"), { "request-id": "r1" }))).toBe("r1");
  expect(failed(answer(429, { error: { code: "x", innerError: { "request-id": "r2" } } }, { "request-id": "" }))).toBe(
    "r2",
  );
  expect(failed(answer(500, "", { "request-id": `é${"x".repeat(900)}` }))).toMatch(/^\?x{79}$/);
  expect(classify(answer(500, "", { "request-id": "" }), false, nowMs)).not.toHaveProperty("requestId");
});

test.each([
  ["a refusal", answer(403, errorBody("ErrorAccessDenied"), { "request-id": "r1" }), "ErrorAccessDenied"],
  ["an answer that makes no sense", answer(200, { value: "none" }, { "request-id": "r1" }), "malformedPage"],
])("%s is told with the request id of its answer", async (_what, given, code) => {
  const { transport } = scriptedTransport(() => given);
  const { outcomes } = await openClient(transport).client.ask([ask("m1")]);
  expect(outcomes).toMatchObject([{ code, requestId: "r1" }]);
});

test("no request id is told where Graph did not answer", async () => {
  const failure = { kind: "transient", code: "timeout", retryAfterMs: null } as const;
  const { transport } = scriptedTransport(() => ({ kind: "fault", failure, detail: null }));
  const { outcomes } = await openClient(transport).client.ask([ask("m1")]);
  expect(outcomes).toEqual([failure]);
});
