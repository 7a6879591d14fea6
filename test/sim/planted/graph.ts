import type { Mutant } from "./mutant.js";

const graph = "shared/graph";

/** Faults in how Graph is asked and believed. */
export const inTheGraphClient: readonly Mutant[] = [
  {
    name: "take a 404 for an empty list",
    file: `${graph}/client.ts`,
    from: `if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
    to: `if (answer.status === 404) return { kind: "lastPage", items: [], link: null, payloadHash: "" };\n    if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
  },
  {
    name: "take the refusal of a link for one of the mailbox",
    file: `${graph}/classify.ts`,
    from: `if (!askedByLink) return found;`,
    to: `if (!askedByLink || known === null) return found;`,
  },
  {
    name: "drop the origin check",
    file: `${graph}/links.ts`,
    from: `if (withoutDefaultPort(home.scheme, lowerAscii(authority)) !== home.authority) return refused("host");`,
    to: ``,
  },
  {
    name: "drop the mailbox check of links",
    file: `${graph}/links.ts`,
    from: `if (afterMailbox === null) return refused("mailbox");\n  if (!isPagePath(afterMailbox, strategy)) return refused("path");`,
    to: ``,
  },
  {
    name: "believe a page with an error in it",
    file: `${graph}/page.ts`,
    from: `if (!isJsonObject(body) || Object.hasOwn(body, "error")) return malformedPage;`,
    to: `if (!isJsonObject(body)) return malformedPage;`,
  },
  {
    name: "take a removal for an update",
    file: `${graph}/page.ts`,
    from: `return { calendarId: id, removed: isRemoved, properties: value };`,
    to: `return { calendarId: id, removed: isRemoved && id === "", properties: value };`,
  },
  {
    name: "match batch answers by order",
    file: `${graph}/batch.ts`,
    from: `const index = Number(id) - 1;`,
    to: `const index = responses.indexOf(response);`,
  },
  {
    name: "shorten Retry-After",
    file: `${graph}/retryAfter.ts`,
    from: `return Math.ceil(Number(text) * 1000);`,
    to: `return Math.min(180_000, Math.ceil(Number(text) * 1000));`,
    unit: ["test/graph/retryAfter.test.ts"],
  },
];
