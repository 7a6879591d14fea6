import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "../../shared/push/publicAddress.js";

/** Which addresses may be a stranger's. First and last of each range, and its neighbours on the outside. */

describe("addresses that are no stranger's", () => {
  test.each([
    ["this network", "0.0.0.0", "0.255.255.255"],
    ["private", "10.0.0.0", "10.255.255.255"],
    ["private", "172.16.0.0", "172.31.255.255"],
    ["private", "192.168.0.0", "192.168.255.255"],
    ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
    ["loopback", "127.0.0.0", "127.255.255.255"],
    ["link-local, and the metadata of Azure", "169.254.0.0", "169.254.169.254", "169.254.255.255"],
    ["the platform of Azure", "168.63.129.16"],
    ["protocol assignments", "192.0.0.0", "192.0.0.255"],
    ["documentation", "192.0.2.0", "198.51.100.255", "203.0.113.7"],
    ["benchmarks", "198.18.0.0", "198.19.255.255"],
    ["relays of 6to4", "192.88.99.1"],
    ["multicast", "224.0.0.0", "239.255.255.255"],
    ["reserved, and broadcast", "240.0.0.0", "255.255.255.255"],
    ["unspecified and loopback of IPv6", "::", "::1"],
    ["IPv4-mapped", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1"],
    ["IPv4-compatible", "::10.0.0.1", "::8.8.8.8"],
    ["NAT64", "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"],
    ["unique local", "fc00::1", "fd12:3456:789a::1"],
    ["link-local of IPv6", "fe80::1", "fe80::1%eth0", "febf::1"],
    ["site-local of old", "fec0::1"],
    ["multicast of IPv6", "ff02::1", "ff0e::1"],
    ["discard-only", "100::1"],
    ["Teredo, and other protocol assignments", "2001::1", "2001:0:a00:1::", "2001:1ff:ffff::1"],
    ["documentation of IPv6", "2001:db8::1", "3fff::1", "3fff:fff::1"],
    ["6to4", "2002:a00:1::1", "2002:808:808::1"],
    ["segment routing", "5f00::1"],
    ["no address", "", "localhost", "1.2.3", "8.8.8.8.", " 8.8.8.8", "08.8.8.8"],
  ])("%s: %s", (_what, ...addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false]);
  });

  test("the neighbours of these ranges are strangers'", () => {
    const neighbours = [
      ...["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"],
      ...["168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"],
      ...[
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
      ],
      ...["2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111", "2a01:111::1", "3ffe::1"],
    ];
    expect(neighbours.filter((address) => !isPublicAddress(address))).toEqual([]);
  });

  test("no address of IPv4 becomes a stranger's by being written as one of IPv6", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const prefixes = fc.constantFrom("::ffff:", "::", "64:ff9b::", "::ffff:0:");
    fc.assert(
      fc.property(prefixes, fc.tuple(byte, byte, byte, byte), (prefix, bytes) => {
        expect(isPublicAddress(`${prefix}${bytes.join(".")}`)).toBe(false);
      }),
    );
  });

  test("nothing outside the part of IPv6 that is given out is a stranger's", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        fc.pre(((groups[0] ?? 0) & 0xe000) !== 0x2000);
        expect(isPublicAddress(groups.map((each) => each.toString(16)).join(":"))).toBe(false);
      }),
    );
  });
});

test("loopback is this machine's: 127.0.0.0/8 and ::1, and no other way of writing it", () => {
  expect(["127.0.0.1", "127.255.0.9", "::1"].every(isLoopbackAddress)).toBe(true);
  expect(["128.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::", "10.0.0.1", "localhost"].some(isLoopbackAddress)).toBe(
    false,
  );
});
