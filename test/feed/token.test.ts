import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokens, tokenCharsMax } from "../../shared/feed/token.js";

const key = new Uint8Array(32).fill(1);
const tokens = createTokens(key);
const place = { epoch: "e1", position: 17, start: 40 };
const token = tokens.feed("adele", place);

describe("tokens", () => {
  test("come back as they were given, are fit for a URL as they are, and stay short", () => {
    expect(tokens.openFeed("adele", token)).toMatchObject({ position: 17, start: 40 });
    expect(token).toMatch(/^[\w.-]+$/);
    expect(token.length).toBeLessThan(120);
    expect(encodeURIComponent(token)).toBe(token);
  });

  test("say to which epoch of the mailbox they belong", () => {
    expect(tokens.openFeed("adele", token)?.isOfEpoch("e1")).toBe(true);
    expect(tokens.openFeed("adele", token)?.isOfEpoch("e2")).toBe(false);
    const listed = tokens.list("adele", { after: "x", sequence: 3, epoch: "e1", query: null });
    expect(tokens.openList("adele", listed, null)?.isOfEpoch("e1")).toBe(true);
    expect(tokens.openList("adele", listed, null)?.isOfEpoch("e2")).toBe(false);
  });

  test("of another mailbox, of another key, and of another kind are refused", () => {
    for (const other of ["alex", "adela"]) expect(tokens.openFeed(other, token)).toBeNull();
    expect(createTokens(new Uint8Array(32).fill(2)).openFeed("adele", token)).toBeNull();
    expect(tokens.openList("adele", token, null)).toBeNull();
    expect(
      tokens.openFeed("adele", tokens.list("adele", { after: "x", sequence: 3, epoch: "e1", query: null })),
    ).toBeNull();
  });

  test("I6: of a list of another query are refused, and those of the plain list stay as the release before made them", () => {
    const plain = { after: "x", sequence: 3, epoch: "e1", query: null };
    for (const [made, asked] of [
      [null, "a"],
      ["a", "b"],
      ["a", null],
    ] as const) {
      const listed = tokens.list("adele", { ...plain, query: made });
      expect(tokens.openList("adele", listed, asked)).toBeNull();
      expect(tokens.openList("adele", listed, made)).toMatchObject({ after: "x", sequence: 3 });
    }
    const [payload = ""] = tokens.list("adele", plain).split(".");
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual(["l2", expect.any(String), 3, "x"]);
  });

  test("a mailbox id and a payload cannot be shifted into each other", () => {
    const moved = tokens.feed('adele","x', place);
    for (const mailboxId of ["adele", 'adele","x"', "x"]) expect(tokens.openFeed(mailboxId, moved)).toBeNull();
  });

  test("of which any character was changed, added or left out are refused", () => {
    for (let index = 0; index < token.length; index++) {
      const changed = token[index] === "A" ? "B" : "A";
      const others = [
        token.slice(0, index) + changed + token.slice(index + 1),
        token.slice(0, index) + token.slice(index + 1),
        `${token.slice(0, index)}A${token.slice(index)}`,
      ];
      for (const other of others.filter((text) => text !== token)) expect(tokens.openFeed("adele", other)).toBeNull();
    }
  });

  test("of any other text, however long, are refused without a throw", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => tokens.openFeed("adele", text) === null));
    expect(tokens.openFeed("adele", `${"A".repeat(tokenCharsMax)}.${"A".repeat(43)}`)).toBeNull();
  });

  test("of a list carry any calendar id", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (after) => {
        const listed = tokens.openList(
          "adele",
          tokens.list("adele", { after, sequence: 3, epoch: "e1", query: null }),
          null,
        );
        expect(listed).toMatchObject({ after, sequence: 3 });
      }),
    );
  });
});
