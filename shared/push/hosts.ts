import { isIP } from "node:net";

/** Which hosts may be subscribers. `names`: these; `below`: all hosts below these. Null: every public host. */
export type SubscriberHosts = { readonly names: ReadonlySet<string>; readonly below: readonly string[] } | null;

/**
 * Reads `SUBSCRIBER_HOSTS`: names with commas between, such as `hooks.contoso.com,*.contoso.net`. A star stands for one name or more
 * below, not for the name itself. Empty: every public host. `mistake`: what is wrong, in one sentence.
 */
export function subscriberHostsOf(text: string): { readonly hosts: SubscriberHosts } | { readonly mistake: string } {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length === 0) return { hosts: null };
  const names = new Set<string>();
  const below: string[] = [];
  for (const entry of entries) {
    const isBelow = entry.startsWith("*.");
    const name = hostNameOf(isBelow ? entry.slice(2) : entry);
    if (name === null) {
      const mistake = `must be host names with commas between, such as hooks.contoso.com,*.contoso.net; "${entry}" is none.`;
      return { mistake };
    }
    if (isBelow) below.push(`.${name}`);
    else names.add(name);
  }
  return { hosts: { names, below } };
}

/** Whether a host may be a subscriber. @param host As `URL.hostname` gives it. */
export function isSubscriberHost(hosts: SubscriberHosts, host: string): boolean {
  return hosts === null || hosts.names.has(host) || hosts.below.some((suffix) => host.endsWith(suffix));
}

/** The name as `URL.hostname` gives it, in lower case and Punycode; null: it is no host name. */
function hostNameOf(text: string): string | null {
  const url = URL.parse(`https://${text}`);
  const isBare = url !== null && url.href === `https://${url.hostname}/` && !/[*/?#@:\\]/.test(text);
  return isBare && !url.hostname.endsWith(".") && isIP(url.hostname) === 0 ? url.hostname : null;
}
