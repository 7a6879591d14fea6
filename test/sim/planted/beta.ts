import type { Mutant } from "./mutant.js";

/** Faults in what is answered below `/api/beta`. */
export const belowBeta: readonly Mutant[] = [
  {
    name: "believe a request of a batch who has signed in",
    file: "shared/http/beta/batch.ts",
    from: `const ownHeaders = ["accept",`,
    to: `const ownHeaders = ["x-ms-client-principal", "x-ms-client-principal-idp", "accept",`,
    unit: ["test/http/batch.test.ts"],
  },
  {
    name: "ask what depends on a request that was refused",
    file: "shared/http/beta/batch.ts",
    from: `before.some(({ status }) => status >= 400)`,
    to: `before.some(({ status }) => status >= 500)`,
    unit: ["test/http/batch.test.ts"],
  },
  {
    name: "wait for ever for requests that wait for each other",
    file: "shared/http/beta/batch.ts",
    from: `const [inCircle] = waiting.keys();`,
    to: `const [inCircle] = [...waiting.keys()].slice(20);`,
    unit: ["test/http/batch.test.ts"],
  },
  {
    name: "write the type of an answer in a batch in letters that Microsoft's client does not know",
    file: "shared/http/beta/batch.ts",
    from: `{ "Content-Type": type }`,
    to: `{ "content-type": type }`,
    unit: ["test/http/batch.test.ts"],
  },
  {
    name: "take the version that a client leaves before a path for a segment",
    file: "shared/http/beta/batch.ts",
    from: 'url.replace(leading, "")',
    to: 'url.replace(/^\\/+/, "")',
    unit: ["test/http/batch.test.ts"],
  },
  {
    name: "open all mailboxes at once with the key of one at a time",
    file: "shared/http/beta/beta.ts",
    from: `routeFor((path) => path.kind === "mailbox" && path.user.kind === "user")`,
    to: `routeFor((path) => path.kind === "allCalendars" || (path.kind === "mailbox" && path.user.kind === "user"))`,
    unit: ["test/http/beta.test.ts"],
  },
  {
    name: "open every mailbox without a key",
    file: "shared/http/beta/beta.ts",
    from: `routeFor((path) => path.kind === "mailbox" && path.user.kind === "me")`,
    to: `routeFor((path) => path.kind === "mailbox")`,
    unit: ["test/http/beta.test.ts"],
  },
  {
    name: "link to the host that the app sees, whatever its public name",
    file: "shared/http/beta/paths.ts",
    from: `publicOrigin ?? originOf(`,
    to: `originOf(`,
    unit: ["test/http/beta.test.ts"],
  },
  {
    name: "read a write",
    file: "shared/http/beta/beta.ts",
    from: `if (!isRead(request)) return readOnly;`,
    to: `if (request.method === "DELETE") return readOnly;`,
    unit: ["test/http/beta.test.ts"],
  },
];
