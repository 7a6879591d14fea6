import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokens, tokenCharsMax } from "../../shared/feed/token.js";
import { calendarId, hostileText } from "./hostile.js";
import { runs } from "./runs.js";

const tokens = createTokens(new Uint8Array(32).fill(7));
const others = createTokens(new Uint8Array(32).fill(8));
const feedToken = fc.record({
  epoch: hostileText,
  position: fc.nat(),
  start: fc.nat(),
});

test("I6: a token opens for its mailbox alone, as it was written", () => {
  fc.assert(
    fc.property(feedToken, calendarId, hostileText, hostileText, (token, after, mailboxId, other) => {
      const written = tokens.feed(mailboxId, token);
      expect(written).toMatch(/^[\w.-]+$/); // Stands in a URL as it is.
      const opened = tokens.openFeed(mailboxId, written);
      expect(opened).toMatchObject({ position: token.position, start: token.start });
      expect(opened?.isOfEpoch(token.epoch)).toBe(true);
      const listed = tokens.list(mailboxId, { after, sequence: 3, epoch: "e1", query: null });
      // A calendar's id may be longer than any token that we read back: then a list cannot go on, and says so.
      if (listed.length <= tokenCharsMax) expect(tokens.openList(mailboxId, listed, null)).toMatchObject({ after });
      expect(tokens.openList(mailboxId, written, null)).toBeNull();
      expect(others.openFeed(mailboxId, written)).toBeNull();
      if (other !== mailboxId && other.isWellFormed() && mailboxId.isWellFormed())
        expect(tokens.openFeed(other, written)).toBeNull();
    }),
    runs(300),
  );
});

test("a token that was altered in one place, cut, or made up is refused", () => {
  const written = tokens.feed("adele", { epoch: "e", position: 12, start: 40 });
  const altered = fc
    .tuple(fc.nat(written.length - 1), fc.constantFrom("A", "b", "-", "_", ".", "=", "0", "\u0000", "é"))
    .map(([at, char]) => written.slice(0, at) + char + written.slice(at + 1));
  const cut = fc.tuple(fc.nat(written.length), fc.nat(written.length)).map(([from, to]) => written.slice(from, to));
  const longer = hostileText.map((text) => written + text);
  fc.assert(
    fc.property(fc.oneof(altered, cut, longer, hostileText), (text) => {
      fc.pre(text !== written);
      expect(tokens.openFeed("adele", text)).toBeNull();
      expect(tokens.openList("adele", text, null)).toBeNull();
    }),
    runs(1000),
  );
});
