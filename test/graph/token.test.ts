import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { describe, expect, test } from "vitest";
import { identityToken, trialToken } from "../../shared/graph/token.js";

const scope = "https://graph.microsoft.com/.default";
const minuteMs = 60_000;

function identity(lifeMs = 60 * minuteMs) {
  const clock = { atMs: 0, nowMs: () => clock.atMs };
  const asked: { scope: string | string[]; options: GetTokenOptions | undefined }[] = [];
  const credential: TokenCredential = {
    async getToken(scopes, options): Promise<AccessToken> {
      asked.push({ scope: scopes, options });
      return { token: `token-${asked.length}`, expiresOnTimestamp: clock.atMs + lifeMs };
    },
  };
  return { source: identityToken(credential, scope, clock), clock, asked };
}

describe("a token of an identity", () => {
  test("is kept until five minutes before it expires", async () => {
    const { source, clock } = identity();
    expect(await source.getToken()).toBe("token-1");
    clock.atMs = 55 * minuteMs - 1;
    expect(await source.getToken()).toBe("token-1");
    clock.atMs = 55 * minuteMs;
    expect(await source.getToken()).toBe("token-2");
  });

  test("is asked once by callers that come together, and says that it understands claims challenges", async () => {
    const { source, asked } = identity();
    expect(await Promise.all([source.getToken(), source.getToken(), source.getToken()])).toEqual([
      "token-1",
      "token-1",
      "token-1",
    ]);
    expect(asked).toMatchObject([{ scope, options: { enableCae: true } }]);
    expect(asked[0]?.options).not.toHaveProperty("claims");
  });

  test("that was refused is replaced, and so is one that lacks claims", async () => {
    const { source, asked } = identity();
    await source.getToken();
    expect(await source.getToken({ fresh: true })).toBe("token-2");
    expect(await source.getToken({ claims: "{}" })).toBe("token-3");
    expect(await source.getToken()).toBe("token-3");
    expect(asked[2]).toMatchObject({ options: { claims: "{}", enableCae: true } });
  });

  test("that could not be had is asked for again by the next caller", async () => {
    let isDown = true;
    const credential: TokenCredential = {
      getToken: () =>
        isDown ? Promise.reject(new Error("down")) : Promise.resolve({ token: "t", expiresOnTimestamp: 1e9 }),
    };
    const source = identityToken(credential, scope, { nowMs: () => 0 });
    await expect(source.getToken()).rejects.toThrow("down");
    isDown = false;
    expect(await source.getToken()).toBe("t");
  });

  test("that is null is an error that names the scope", async () => {
    const source = identityToken({ getToken: async () => null }, scope, { nowMs: () => 0 });
    await expect(source.getToken()).rejects.toThrow(scope);
  });
});

test("a trial token is always the same one", async () => {
  const source = trialToken("eyJ0.a-b_c.d");
  expect([await source.getToken(), await source.getToken({ fresh: true })]).toEqual(["eyJ0.a-b_c.d", "eyJ0.a-b_c.d"]);
});

test.each(["", "a b", "a\n", "caf\u00e9"])("I8: a trial token like %j is refused, without being told", (token) => {
  expect(() => trialToken(token)).toThrow("The trial token holds blanks, line breaks or nothing at all.");
});
