import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/**
 * A receiver of notifications on this machine, which a mirror on trial talks to without TLS. It gives the token of Graph's handshake
 * back, and says yes to all else.
 */
export async function startReceiver() {
  const server = createServer(async (request, response) => {
    await text(request);
    const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
    if (token === null) response.writeHead(202).end();
    else response.writeHead(200, { "content-type": "text/plain" }).end(token);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notifications`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
