import { Resolver } from "node:dns/promises";

/**
 * All addresses of a host name, those of IPv4 first.
 * @param signal Aborted when nobody waits any more.
 * @throws Error with a `code` such as `ENOTFOUND` when there is none.
 */
export type Resolve = (hostName: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks name servers by DNS. Not by `dns.lookup`: that one keeps a thread of Node's pool for each name whose
 * servers are slow, and a few such subscribers would stop every other look-up of the process. Nor does it read the file of hosts, or
 * try search domains: the names of a network that trusts us.
 * @param servers For tests: addresses with ports. Default: those of this machine.
 */
export function dnsResolve(servers?: readonly string[]): Resolve {
  return async (hostName, signal) => {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const [four, six] = await Promise.allSettled([resolver.resolve4(hostName), resolver.resolve6(hostName)]);
      const found = [four, six].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      // What failed for one family alone is no matter: of the addresses that are not known none is asked.
      const failed = [four, six].find((answer) => answer.status === "rejected");
      if (found.length === 0 && failed !== undefined) throw failed.reason;
      return found;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
}
