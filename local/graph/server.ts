import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { answerControl, isControlPath } from "./control.js";
import type { GraphSimulator } from "./graph.js";
import type { SavedGraph } from "./saved.js";
import type { GraphRequest, GraphResponse } from "./types.js";

/** Which simulator is served, and where. */
export type GraphServerOptions = {
  readonly core: GraphSimulator;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The only bearer token that is taken; absent leaves the core's own rule. */
  readonly token?: string;
  /** Root that links carry. Default: this server. */
  readonly publicRoot?: string;
  /** Keeps what is changed over the control API, before anybody learns of it from Graph. Default: the next run knows nothing of it. */
  readonly save?: (saved: SavedGraph) => void;
};

/** A server that listens. `url`: its root, without a slash at its end. */
export type GraphServer = { readonly url: string; close(): Promise<void> };

/** Longer than any pause of a caller that polls, so that connections are there for its next round. */
const KEEP_ALIVE_MS = 120_000;

/** Serves the simulator on 127.0.0.1, with its control API (see `answerControl`), and waits out its delays. */
export async function startGraphServer(options: GraphServerOptions): Promise<GraphServer> {
  const { core, port = 0, token, publicRoot, save = () => undefined } = options;
  if (token !== undefined) core.setToken(token);
  let isChanged = false;
  const saveChanges = () => {
    if (isChanged) save(core.saved());
    isChanged = false;
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    collectBody(incoming, (body) => {
      const request = requestOf(incoming, body);
      if (isControlPath(request.url)) isChanged ||= request.method !== "GET";
      else saveChanges();
      respond(core, request, outgoing);
    });
  });
  await listen(server, port);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  core.setPublicRoot(publicRoot ?? url);
  const close = async () => {
    await closeServer(server);
    isChanged ||= !core.faults.isCalm(); // What is left of a rule goes down by requests alone.
    saveChanges();
  };
  return { url, close };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function collectBody(incoming: IncomingMessage, done: (body: string) => void): void {
  if (incoming.method === "GET") {
    incoming.resume();
    done("");
    return;
  }
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => done(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()));
}

function requestOf(incoming: IncomingMessage, body: string): GraphRequest {
  const headers = incoming.headers as Readonly<Record<string, string | undefined>>;
  return { method: incoming.method ?? "GET", url: incoming.url ?? "/", headers, body };
}

function respond(core: GraphSimulator, request: GraphRequest, outgoing: ServerResponse): void {
  const response = isControlPath(request.url) ? answerControl(core, request) : core.handle(request);
  if (response.delayMs > 0) setTimeout(send, response.delayMs, response, outgoing);
  else send(response, outgoing);
}

function send(response: GraphResponse, outgoing: ServerResponse): void {
  if (response.connectionReset === true) {
    (outgoing.socket as Socket | null)?.resetAndDestroy();
    return;
  }
  if (outgoing.destroyed) return; // The caller left during the delay.
  const length = Buffer.byteLength(response.body);
  outgoing.sendDate = false; // The core says what time it is.
  outgoing.writeHead(
    response.status,
    response.status === 204 ? response.headers : { ...response.headers, "content-length": length },
  );
  outgoing.end(response.body);
}
