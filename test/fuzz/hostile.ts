import fc from "fast-check";

/** Texts as an attacker or an accident makes them. */

const nasty = [
  "",
  " ",
  "__proto__",
  "constructor",
  "toString",
  "\u0000",
  "\u0007\u001b[31m",
  "\u202etfel-ot-thgir",
  "🏳️‍🌈",
  "\ud800",
  "\udfff\ud800",
  "\u2028\u2029",
  "ﷺ",
  "'; DROP TABLE calendars;--",
  "<script>alert(1)</script>",
  "../../etc",
  "%00%2f%5c",
  "a".repeat(10_000),
  "字".repeat(10_000),
  "🎉".repeat(5_000),
] as const;

/** Any text: well formed or not, short or very long. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...nasty), weight: 3 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 60 }), weight: 2 },
  {
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units)),
    weight: 2,
  },
  { arbitrary: fc.string({ maxLength: 30 }), weight: 1 },
);

/** Any value that JSON can carry, with hostile names and texts in it. */
export const hostileJson: fc.Arbitrary<unknown> = fc
  .json({ maxDepth: 4, stringUnit: "binary" })
  .map((text) => JSON.parse(text) as unknown);

/** Ids as long as Graph's may be, case and all. */
export const calendarId: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 512 }),
  fc.string({ unit: fc.constantFrom("A", "a", "/", "=", "-", "_", "+", "|", "!"), minLength: 1, maxLength: 512 }),
  fc.constantFrom("__proto__", "constructor", "A".repeat(512), "/".repeat(512), "字".repeat(512), "a", "A"),
);
