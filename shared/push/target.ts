import { isIP } from "node:net";
import { isSubscriberHost, type SubscriberHosts } from "./hosts.js";
import { isLoopbackAddress, isPublicAddress } from "./publicAddress.js";

/** To whom we talk. */
export type TargetRules = {
  readonly hosts: SubscriberHosts;
  /** For trials: this machine too, and with it without TLS. */
  readonly allowsLoopback: boolean;
};

/** What is wrong with an address, in one sentence for whoever named it. It holds no more of the address than the host. */
export type Forbidden = { readonly kind: "forbidden"; readonly why: string };

/** An address as it is written, before its host is looked up: `https` and no secrets of a sign-in, of a host that may subscribe. */
export function targetOf(text: string, rules: TargetRules): { readonly kind: "target"; readonly url: URL } | Forbidden {
  const url = URL.parse(text);
  if (url === null)
    return forbidden("The address is not an absolute URL, such as https://hooks.contoso.com/calendars.");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && rules.allowsLoopback)) {
    return forbidden("The address must begin with https://.");
  }
  if (url.username !== "" || url.password !== "")
    return forbidden("The address must not hold a user name or password.");
  if (url.hash !== "") return forbidden("The address must not have a fragment (#): it would never be sent.");
  if (url.hostname.endsWith(".")) return forbidden("The host name must not end with a dot.");
  if (!isSubscriberHost(rules.hosts, url.hostname)) {
    return forbidden(`The host ${url.hostname} is not among SUBSCRIBER_HOSTS.`);
  }
  return { kind: "target", url };
}

/** The address that a URL's host is by itself; for `localhost` those that RFC 6761 gives it; null: it must be looked up. */
export function literalAddresses(url: URL): readonly string[] | null {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return [host];
  return host === "localhost" || host.endsWith(".localhost") ? ["127.0.0.1"] : null;
}

/**
 * The one address to which a request goes; the first. Refused when any of them is not a stranger's: a name that leads to both sorts
 * was made to, and which one a second look-up would bring, nobody knows.
 */
export function chosenAddress(
  url: URL,
  addresses: readonly [string, ...string[]],
  { allowsLoopback }: TargetRules,
): { readonly kind: "address"; readonly address: string } | Forbidden {
  const isAllowed = (address: string) =>
    (url.protocol === "https:" && isPublicAddress(address)) || (allowsLoopback && isLoopbackAddress(address));
  // Not which address: that would tell strangers what names of a private network stand for.
  if (!addresses.every(isAllowed)) return forbidden(`The host ${url.hostname} leads to an address that is not public.`);
  return { kind: "address", address: addresses[0] };
}

function forbidden(why: string): Forbidden {
  return { kind: "forbidden", why };
}
