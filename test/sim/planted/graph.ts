import type { Mutant } from "./mutant.js";

/** Faults in how Graph is asked and believed. */
export const inTheGraphClient: readonly Mutant[] = [
  {
    name: "take a 404 for an empty list",
    file: "shared/graph/client.ts",
    from: `if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
    to: `if (answer.status === 404) return { kind: "lastPage", items: [], link: null };\n    if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
  },
  {
    name: "take the refusal of a link for one of the mailbox",
    file: "shared/graph/classify.ts",
    from: `if (!askedByLink) return found;`,
    to: `if (!askedByLink || known === null) return found;`,
  },
  {
    name: "drop the origin check",
    file: "shared/graph/links.ts",
    from: `if (withoutDefaultPort(home.scheme, lowerAscii(authority)) !== home.authority) return refused("host");`,
    to: ``,
  },
  {
    name: "drop the mailbox check of links",
    file: "shared/graph/links.ts",
    from: `if (afterMailbox === null) return refused("mailbox");\n  if (!isPagePath(afterMailbox, strategy)) return refused("path");`,
    to: ``,
  },
  {
    name: "believe a page with an error in it",
    file: "shared/graph/page.ts",
    from: `if (!isJsonObject(body) || Object.hasOwn(body, "error")) return malformedPage;`,
    to: `if (!isJsonObject(body)) return malformedPage;`,
  },
  {
    name: "take a removal for an update",
    file: "shared/graph/page.ts",
    from: `return { calendarId: id, removed: isRemoved, properties: value };`,
    to: `return { calendarId: id, removed: isRemoved && id === "", properties: value };`,
  },
  {
    name: "match batch answers by order",
    file: "shared/graph/batch.ts",
    from: `const index = Number(id) - 1;`,
    to: `const index = responses.indexOf(response);`,
  },
  {
    name: "shorten Retry-After",
    file: "shared/sync/retryAfter.ts",
    from: `return Math.ceil(Number(text) * 1000);`,
    to: `return Math.min(180_000, Math.ceil(Number(text) * 1000));`,
    unit: ["test/graph/retryAfter.test.ts"],
  },
  {
    name: "wait for ever for an identity that does not answer",
    file: "shared/graph/token.ts",
    from: `    const fetched = await within(graphLimits.tokenMaxMs, identitySilent, (abortSignal) =>
      credential.getToken(scopes, { ...options, abortSignal }),
    );`,
    to: `    const abortSignal = AbortSignal.timeout(graphLimits.tokenMaxMs);
    const fetched = await credential.getToken(scopes, { ...options, abortSignal });`,
    unit: ["test/graph/token.test.ts"],
  },
  {
    name: "trust the HTTP client to end a call of Graph",
    file: "shared/graph/policies.ts",
    from: `return within(Math.min(patienceMs ?? limits.callMaxMs, limits.callMaxMs), late, attempt, after);`,
    to: `return within(limits.callMaxMs * 1_000, late, attempt, after);`,
    unit: ["test/graph/transport.test.ts"],
  },
  {
    name: "send the refused token again",
    file: "shared/graph/policies.ts",
    from: `if (second === first) return response;`,
    to: `if (second === "") return response;`,
    unit: ["test/graph/transport.test.ts"],
  },
  {
    name: "ask for the items of a batch again with the refused token",
    file: "shared/graph/client.ts",
    from: `if (isTokenRefused && (await transport.hasOtherToken(sent, item))) return;`,
    to: `if (isTokenRefused) return;`,
    unit: ["test/graph/clientBatch.test.ts"],
  },
  {
    name: "book the failure of a batch to each of its mailboxes",
    file: "shared/graph/client.ts",
    from: `} else if (failure.kind === "transient") {`,
    to: `} else if (failure.code === "") {`,
    unit: ["test/graph/clientBatch.test.ts"],
  },
  {
    name: "wait with each tick for a $batch that never answers",
    file: "shared/graph/client.ts",
    from: `if (slow === 0 && isPatient) this.#gate.refused();`,
    to: ``,
    unit: ["test/graph/clientBatch.test.ts"],
  },
  {
    name: "wait for the renewal of a token that is valid",
    file: "shared/graph/token.ts",
    from: `if (nowMs >= renewFromMs(held)) renew(nowMs);`,
    to: `if (nowMs >= renewFromMs(held)) return ask();`,
    unit: ["test/graph/token.test.ts"],
  },
  {
    name: "renew a token only in its last five minutes",
    file: "shared/graph/token.ts",
    from: `return Math.min(refreshAfterTimestamp ?? lastMs, lastMs);`,
    to: `return refreshAfterTimestamp === 0 ? 0 : lastMs;`,
    unit: ["test/graph/token.test.ts"],
  },
];
