import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import selfsigned from "selfsigned";

/**
 * What stands in front of the app in Azure: TLS, the check of function keys, and App Service Authentication, which turns a token
 * into headers that name its user. Clients sign in here as they would there.
 */
export type Front = {
  /** `https://localhost:<port>`. */
  readonly origin: string;
  /** What clients must trust, in PEM. */
  readonly certificate: string;
  stop(): Promise<void>;
};

/** How the front lets clients in. */
export type FrontOptions = {
  readonly hostUrl: string;
  /** A function key, for all but `me` and `health`. */
  readonly key: string;
  /** A bearer token, and the object id of the user whom it names. */
  readonly token: string;
  readonly userId: string;
  /** Other paths of the front's own, which change the world for a test. */
  readonly own: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>>;
};

/** Listens on a free port of `localhost`. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { cert, private: key } = await selfsigned.generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    serve(options, incoming, outgoing).catch((error: unknown) => {
      if (!outgoing.headersSent) outgoing.writeHead(502);
      outgoing.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    certificate: cert,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function serve(options: FrontOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", "https://localhost");
  const own = options.own[url.pathname];
  if (own !== undefined) {
    incoming.resume();
    outgoing.setHeader("content-type", "application/json").end(JSON.stringify((await own(url.searchParams)) ?? null));
    return;
  }
  // As the Functions host answers where there is no key, or a wrong one.
  const isOpen = /^\/api\/(?:health$|beta\/me(?:\/|$))/i.test(url.pathname);
  if (!isOpen && (incoming.headers["x-functions-key"] ?? url.searchParams.get("code")) !== options.key) {
    incoming.resume();
    outgoing.writeHead(401, { "content-length": 0 }).end();
    return;
  }
  await pass(options, incoming, outgoing);
}

/** Hands a request on as Azure's front end does, and its answer back. Headers that name a user are the front's own. */
async function pass(options: FrontOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers: Record<string, string | string[] | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (!name.startsWith("x-ms-client-principal")) headers[name] = value;
  }
  headers["x-forwarded-proto"] = "https";
  if (incoming.headers.authorization === `Bearer ${options.token}`) {
    const principal = { auth_typ: "aad", claims: [{ typ: "oid", val: options.userId }], name_typ: "n", role_typ: "r" };
    headers["x-ms-client-principal-idp"] = "aad";
    headers["x-ms-client-principal"] = Buffer.from(JSON.stringify(principal)).toString("base64");
  }
  await new Promise<void>((resolve, reject) => {
    const outer = request(`${options.hostUrl}${incoming.url}`, { method: incoming.method, headers }, (inner) => {
      outgoing.writeHead(inner.statusCode ?? 502, inner.headers);
      inner.pipe(outgoing).on("finish", resolve).on("error", reject);
    });
    outer.on("error", reject);
    incoming.pipe(outer);
  });
}
