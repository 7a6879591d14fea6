import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export type RequestCounts = { readonly requests: number; readonly queries: number };

/** Stands between the app and a storage service, and counts requests, and queries of tables among them. */
export async function startCounter(storagePort: number) {
  const seen = { requests: 0, queries: 0 };
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const { url: path = "/", method, headers } = incoming;
    seen.requests += 1;
    if (method === "GET" && path.includes("()")) seen.queries += 1; // A point read names its keys there.
    const onward = request({ host: "127.0.0.1", port: storagePort, path, method, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", (error) => outgoing.destroy(error));
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  };
  return { port: (server.address() as AddressInfo).port, count: (): RequestCounts => ({ ...seen }), stop };
}
