import { BlockList, isIP } from "node:net";

/**
 * Addresses of IPv4 that are no stranger's on the internet.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry: all that are not globally reachable.
 */
const notPublic4 = blockListOf("ipv4", [
  ["0.0.0.0", 8], // This network.
  ["10.0.0.0", 8], // Private.
  ["100.64.0.0", 10], // Carrier-grade NAT.
  ["127.0.0.0", 8], // Loopback.
  ["168.63.129.16", 32], // Azure's platform, which every instance reaches: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  ["169.254.0.0", 16], // Link-local, and the metadata and identity endpoints of Azure.
  ["172.16.0.0", 12], // Private.
  ["192.0.0.0", 24], // Protocol assignments.
  ["192.0.2.0", 24], // Documentation.
  ["192.88.99.0", 24], // Relays of 6to4.
  ["192.168.0.0", 16], // Private.
  ["198.18.0.0", 15], // Benchmarks.
  ["198.51.100.0", 24], // Documentation.
  ["203.0.113.0", 24], // Documentation.
  ["224.0.0.0", 4], // Multicast.
  ["240.0.0.0", 4], // Reserved, and broadcast.
]);

/** The part of IPv6 from which global unicast addresses are given out. Loopback, local, mapped, NAT64 and multicast lie outside. */
const unicast6 = blockListOf("ipv6", [["2000::", 3]]);

/** @see https://www.iana.org/assignments/iana-ipv6-special-registry: what lies in the part above and is no stranger's all the same. */
const notPublic6 = blockListOf("ipv6", [
  ["2001::", 23], // Protocol assignments: Teredo, benchmarks, ORCHID.
  ["2001:db8::", 32], // Documentation.
  ["2002::", 16], // 6to4: holds any address of IPv4.
  ["3fff::", 20], // Documentation.
]);

const loopback = blockListOf("ipv4", [["127.0.0.0", 8]]);

/** Whether a stranger's server may be at this address, so that no request of ours reaches into a network that trusts us. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic4.check(address, "ipv4");
    case 6: // With a zone (`fe80::1%eth0`) it is a link's.
      return !address.includes("%") && unicast6.check(address, "ipv6") && !notPublic6.check(address, "ipv6");
    default:
      return false;
  }
}

/** Whether the address is this machine's own. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) === 4 ? loopback.check(address, "ipv4") : address === "::1";
}

function blockListOf(type: "ipv4" | "ipv6", subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, type);
  return list;
}
