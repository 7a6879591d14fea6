import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  calendarKey,
  calendarsOf,
  escapeKey,
  mailboxesBetween,
  mailboxKey,
  mailboxOfKey,
  shardNames,
  shardOf,
  unescapeKey,
} from "../../shared/store/keys.js";
import type { KeyRange } from "../../shared/table/table.js";

// Any UTF-16 units at all, lone surrogates among them, and what has a meaning in keys, URLs or JavaScript.
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 512 }).map((units) => {
  return String.fromCharCode(...units);
});
const nasty = fc
  .array(
    fc.constantFrom(..."/\\#?%|!'\"{}~ hH0", "!0021", "!h", "\u0000", "\u0085", "\u2028", "\ud800", "😀", "\uffff"),
    {
      minLength: 1,
      maxLength: 200,
    },
  )
  .map((pieces) => pieces.join(""));
const ids = fc.oneof(
  { arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 512 }), weight: 2 },
  anyUnits,
  nasty,
  fc.constantFrom("__proto__", "constructor", "me", "AAMkAGI2TGuLAAA=", "AQMkAD-_/+=="),
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the table forbids.
const forbidden = /[/\\#?%\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;
const within = (key: string, { after, upTo }: KeyRange) => key > after && key <= upTo;

describe("keys", () => {
  test("escaping an id can be undone, and two ids never share an escaped form", () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(unescapeKey(escapeKey(id))).toBe(id);
      }),
      { numRuns: 500 },
    );
  });

  test("an escaped id holds nothing that the table or its protocol forbids, and no separator", () => {
    fc.assert(
      fc.property(ids, (id) => {
        const escaped = escapeKey(id);
        expect(escaped).not.toMatch(forbidden);
        expect(escaped).not.toContain("|");
        expect(escaped.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("what is harmless stays as it is, case included", () => {
    const graphId = "AAMkAGI2TGuLAAA=_-+.:@$&()*,;~ äß字😀";
    expect(escapeKey(graphId)).toBe(graphId);
    expect(escapeKey("a/b|c!d%\u0000")).toBe("a!002fb!007cc!0021d!0025!0000");
    expect(mailboxKey("Ab")).not.toBe(mailboxKey("aB"));
  });

  test("every key is well-formed, without forbidden characters, and within 512 units", () => {
    fc.assert(
      fc.property(ids, ids, (mailboxId, calendarId) => {
        for (const key of [mailboxKey(mailboxId), calendarKey(mailboxId, calendarId)]) {
          expect(key.length).toBeLessThanOrEqual(512);
          expect(key).not.toMatch(forbidden);
          expect(key.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("different ids have different keys, also where the key ends in a hash", () => {
    const long = fc.tuple(ids, fc.constantFrom("", "字".repeat(600), "/".repeat(90))).map(([id, tail]) => tail + id);
    fc.assert(
      fc.property(long, long, (one, other) => {
        fc.pre(one !== other);
        expect(mailboxKey(one)).not.toBe(mailboxKey(other));
        expect(calendarKey("m", one)).not.toBe(calendarKey("m", other));
      }),
      { numRuns: 300 },
    );
    expect(mailboxKey("\ud800".repeat(300))).not.toBe(mailboxKey("\ud801".repeat(300)));
  });

  test("a key that ends in a hash keeps its start, and refuses to be read as an id", () => {
    const key = calendarKey("m", `start-${"x".repeat(600)}`);
    expect(key).toMatch(/^calendar\|m\|start-x+!h[0-9a-f]{64}$/);
    expect(() => unescapeKey(key.slice("calendar|m|".length))).toThrow(RangeError);
  });

  test("a checkpoint's key names its mailbox again, but where it ends in a hash or nobody could have made it", () => {
    fc.assert(
      fc.property(ids, (mailboxId) => {
        const key = mailboxKey(mailboxId);
        expect(mailboxOfKey(key)).toBe(escapeKey(mailboxId).length > 240 ? null : mailboxId);
      }),
      { numRuns: 500 },
    );
    for (const foreign of ["mailbox|", "mailbox|!", "mailbox|!0041", "mailbox|a/b", "calendar|m|c", "shard"]) {
      expect(mailboxOfKey(foreign)).toBeNull();
    }
  });

  test("a mailbox's range holds all its calendars and nobody else's", () => {
    fc.assert(
      fc.property(ids, ids, ids, (mailboxId, otherId, calendarId) => {
        expect(within(calendarKey(mailboxId, calendarId), calendarsOf(mailboxId))).toBe(true);
        expect(within(mailboxKey(mailboxId), calendarsOf(mailboxId))).toBe(false);
        if (otherId === mailboxId) return;
        for (const alike of [otherId, `${mailboxId}|`, `${mailboxId}}`, `${mailboxId}${otherId}`]) {
          expect(within(calendarKey(alike, calendarId), calendarsOf(mailboxId))).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a shard's range holds all mailboxes and no other row; resuming leaves out just what came before", () => {
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        expect(within(mailboxKey(one), mailboxesBetween(null, null))).toBe(true);
        expect(within(calendarKey(one, other), mailboxesBetween(null, null))).toBe(false);
        expect(within(mailboxKey(one), mailboxesBetween(one, null))).toBe(false);
        expect(within(mailboxKey(one), mailboxesBetween(null, one))).toBe(true);
        const isAfter = mailboxKey(other) > mailboxKey(one);
        expect(within(mailboxKey(other), mailboxesBetween(one, null))).toBe(isAfter);
        expect(within(mailboxKey(other), mailboxesBetween(null, one))).toBe(!isAfter);
      }),
      { numRuns: 300 },
    );
    expect(within("shard", mailboxesBetween(null, null))).toBe(false);
  });

  test("an empty id has no key", () => {
    expect(() => mailboxKey("")).toThrow(RangeError);
    expect(() => calendarKey("m", "")).toThrow(RangeError);
  });
});

describe("shards", () => {
  test("the shard of an id never changes: these were written down once", () => {
    // SHA-256("me") begins with 2744 and that of the zero id with 12b9.
    expect(shardOf("me", 256)).toBe("27");
    expect(shardOf("me", 16)).toBe("07");
    expect(shardOf("me", 1)).toBe("00");
    expect(shardOf("00000000-0000-0000-0000-000000000000", 256)).toBe("12");
  });

  test("shards are two lower-case hex digits, all of them listed, and ids spread over all", () => {
    expect(shardNames(16)).toEqual([..."0123456789abcdef"].map((digit) => `0${digit}`));
    expect(shardNames(256).at(-1)).toBe("ff");
    const used = new Set(Array.from({ length: 500 }, (_, index) => shardOf(`mailbox-${index}`, 16)));
    expect([...used].sort()).toEqual(shardNames(16));
  });

  test.each([0, 257, 1.5, Number.NaN])("%d shards are refused", (shards) => {
    expect(() => shardOf("m", shards)).toThrow(RangeError);
  });
});
