import type { Mutant } from "./mutant.js";

const sends = ["test/push/send.test.ts"];
const writes = ["test/push/requests.test.ts"];
const asks = ["test/push/validate.test.ts"];
const finds = ["test/push/resolve.test.ts"];

/** Faults in what goes to subscribers over the wire. */
export const inTheWire: readonly Mutant[] = [
  {
    name: "let a second look-up of a subscriber's name decide where the connection goes",
    file: "shared/push/send.ts",
    from: `host: address,`,
    to: `host: url.hostname,`,
    unit: sends,
  },
  {
    name: "take a certificate for another name than the subscriber's",
    file: "shared/push/send.ts",
    from: `=== 0 ? url.hostname : "",`,
    to: `=== 0 ? "localhost" : "",`,
    unit: sends,
  },
  {
    name: "leave it to the environment whether certificates are checked",
    file: "shared/push/send.ts",
    from: `      rejectUnauthorized: true, // Said here, so that no environment says otherwise.\n`,
    to: ``,
    unit: sends,
  },
  {
    name: "leave the oldest version of TLS to the process",
    file: "shared/push/send.ts",
    from: `      minVersion: "TLSv1.2",\n`,
    to: ``,
    unit: sends,
  },
  {
    name: "talk to a name when one of its addresses is public",
    file: "shared/push/target.ts",
    from: `if (!addresses.every(isAllowed))`,
    to: `if (!addresses.some(isAllowed))`,
    unit: sends,
  },
  {
    name: "talk without TLS to anybody in trials",
    file: "shared/push/target.ts",
    from: `(url.protocol === "https:" && isPublicAddress(address))`,
    to: `isPublicAddress(address)`,
    unit: sends,
  },
  {
    name: "forget that the platform of Azure has an address like a stranger's",
    file: "shared/push/publicAddress.ts",
    from: `["168.63.129.16", 32]`,
    to: `["168.63.129.17", 32]`,
    unit: ["test/push/publicAddress.test.ts"],
  },
  {
    name: "take addresses of IPv6 that hold one of IPv4 for a stranger's",
    file: "shared/push/publicAddress.ts",
    from: `["2000::", 3]`,
    to: `["::", 0]`,
    unit: ["test/push/publicAddress.test.ts"],
  },
  {
    name: "take a host for a subscriber because its name ends alike",
    file: "shared/push/hosts.ts",
    from: `host.endsWith(suffix)`,
    to: `host.endsWith(suffix.slice(1))`,
    unit: ["test/push/target.test.ts"],
  },
  {
    name: "count a kept connection that was closed meanwhile as the subscriber's failure",
    file: "shared/push/send.ts",
    from: `const isStale = request.reusedSocket && `,
    to: `const isStale = false && request.reusedSocket && `,
    unit: sends,
  },
  {
    name: "ask a subscriber twice that has broken off",
    file: "shared/push/send.ts",
    from: `const isStale = request.reusedSocket && `,
    to: `const isStale = `,
    unit: sends,
  },
  {
    name: "read a subscriber's answer without end",
    file: "shared/push/send.ts",
    from: `if (bytes > bytesMax) response.destroy();`,
    to: `if (bytes > bytesMax) chunks.length = 0;`,
    unit: sends,
  },
  {
    name: "hold a yes for none because the rest of the answer is slow",
    file: "shared/push/send.ts",
    from: `if (heard.head !== null) return outcomeOf`,
    to: `if (heard.head === undefined) return outcomeOf`,
    unit: sends,
  },
  {
    name: "wait for name servers that nobody waits for any more",
    file: "shared/push/resolve.ts",
    from: `signal.addEventListener("abort", cancel, { once: true });`,
    to: ``,
    unit: finds,
  },
  {
    name: "give up a name because one family has no address",
    file: "shared/push/resolve.ts",
    from: `if (found.length === 0 && failed !== undefined)`,
    to: `if (failed !== undefined)`,
    unit: finds,
  },
  {
    name: "sign all requests with the time of the first",
    file: "shared/push/requests.ts",
    from: `  const write = recipient.format === "graph"`,
    to: `  const ms = sender.nowMs();\n  sender = { ...sender, nowMs: () => ms };\n  const write = recipient.format === "graph"`,
    unit: writes,
  },
  {
    name: "give a repeated request another id",
    file: "shared/push/signature.ts",
    from: `JSON.stringify([subscriptionId, ...notificationIds])`,
    to: `JSON.stringify([subscriptionId, ...notificationIds, performance.now()])`,
    unit: writes,
  },
  {
    name: "send any number of notifications in a request",
    file: "shared/push/requests.ts",
    from: `: limits.notificationsMax;`,
    to: `: notifications.length;`,
    unit: writes,
  },
  {
    name: "count characters of a body where bytes are bounded",
    file: "shared/push/requests.ts",
    from: `bytes += Buffer.byteLength(item) + 1;`,
    to: `bytes += item.length + 1;`,
    unit: writes,
  },
  {
    name: "take any answer to OPTIONS for permission",
    file: "shared/push/validate.ts",
    from: `if (allowed === "*" || allowed === origin.toLowerCase())`,
    to: `if (allowed === undefined || allowed === "*" || allowed === origin.toLowerCase())`,
    unit: asks,
  },
  {
    name: "take an answer for consent without the token",
    file: "shared/push/validate.ts",
    from: `if (answer.text !== token) {`,
    to: `if (answer.text === "") {`,
    unit: asks,
  },
  {
    name: "put the token into the address as it is",
    file: "shared/push/validate.ts",
    from: "encodeURIComponent(token)",
    to: "token",
    unit: asks,
  },
];
