import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** How a receiver is, by the first part of its path. `silent`: it takes requests and never answers. */
export type Mood = "well" | "silent" | "refusing";

type Got = { requests: number; readonly ids: Set<string>; lastMs: number };

/** Receivers of notifications, by path. */
export async function startReceivers() {
  const got = new Map<string, Got>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const body = JSON.parse(await text(request)) as { value: readonly { readonly id: string }[] };
    if (path.startsWith("/silent/")) return;
    if (path.startsWith("/refusing/")) return response.writeHead(503).end();
    const own = got.get(path) ?? { requests: 0, ids: new Set<string>(), lastMs: 0 };
    got.set(path, own);
    own.requests += 1;
    for (const { id } of body.value) own.ids.add(id);
    own.lastMs = performance.now();
    return response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, stop };
}
