import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { afterEach, describe, expect, test, vi } from "vitest";
import { graphLimits } from "../../shared/graph/limits.js";
import { identityToken, steadyCredential, trialToken } from "../../shared/graph/token.js";

const scope = "https://graph.microsoft.com/.default";
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** An identity whose tokens live for `lifeMs`, and are to be renewed `renewMs` after they were given. */
function identity({ lifeMs = hourMs, renewMs = null as number | null } = {}) {
  const clock = { atMs: 0, nowMs: () => clock.atMs };
  const asked: { scope: string | string[]; options: GetTokenOptions | undefined }[] = [];
  const troubles: string[] = [];
  const next: { answer: "token" | "same" | "silence" | "error" } = { answer: "token" };
  const give = (count: number): AccessToken => ({
    token: `token-${count}`,
    expiresOnTimestamp: clock.atMs + lifeMs,
    ...(renewMs === null ? {} : { refreshAfterTimestamp: clock.atMs + renewMs }),
  });
  let last = give(0);
  const credential: TokenCredential = {
    getToken(scopes, options): Promise<AccessToken> {
      asked.push({ scope: scopes, options });
      if (next.answer === "silence") return new Promise(() => undefined);
      if (next.answer === "error") return Promise.reject(new Error("The identity is away."));
      if (next.answer === "token") last = give(asked.length);
      return Promise.resolve(last);
    },
  };
  const ports = { clock, onTrouble: (why: string) => troubles.push(why) };
  return { source: identityToken(credential, scope, ports), credential, ports, clock, asked, troubles, next };
}

const atZero = { clock: { nowMs: () => 0 }, onTrouble: () => undefined };

/** Real seconds: what waits for ever should not hold the suite for minutes. */
const bounded = { timeout: 10_000 };

/** Whatever is on its way in the background, once its turn comes. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.useRealTimers();
});

describe("a token of an identity", () => {
  test("is kept until five minutes before it expires, and handed out while it is renewed", async () => {
    const { source, clock, asked } = identity();
    expect(await source.getToken()).toBe("token-1");
    clock.atMs = 55 * minuteMs - 1;
    expect(await source.getToken()).toBe("token-1");
    await settled();
    expect(asked).toHaveLength(1);
    clock.atMs = 55 * minuteMs;
    expect(await source.getToken()).toBe("token-1");
    await settled();
    expect(await source.getToken()).toBe("token-2");
  });

  test("is renewed at half of its lifetime, where the service says so", async () => {
    const { source, clock } = identity({ lifeMs: 24 * hourMs, renewMs: 12 * hourMs });
    await source.getToken();
    clock.atMs = 12 * hourMs - 1;
    await source.getToken();
    await settled();
    expect(await source.getToken()).toBe("token-1");
    clock.atMs = 12 * hourMs;
    await source.getToken();
    await settled();
    expect(await source.getToken()).toBe("token-2");
  });

  test("is asked for again a minute later when its renewal brings the same one, as MSAL's first does", async () => {
    const { source, clock, asked, next } = identity({ lifeMs: 24 * hourMs, renewMs: 12 * hourMs });
    await source.getToken();
    clock.atMs = 12 * hourMs;
    next.answer = "same";
    for (let call = 0; call < 3; call++) {
      expect(await source.getToken()).toBe("token-1");
      await settled();
    }
    expect(asked).toHaveLength(2);
    next.answer = "token";
    clock.atMs += minuteMs;
    await source.getToken();
    await settled();
    expect(await source.getToken()).toBe("token-3");
  });

  test.each(["error", "silence"] as const)(
    "is used to its end while its renewal meets %s, which is reported",
    bounded,
    async (answer) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const { source, clock, asked, troubles, next } = identity({ lifeMs: 24 * hourMs, renewMs: 12 * hourMs });
      await source.getToken();
      next.answer = answer;
      for (clock.atMs = 12 * hourMs; clock.atMs < 24 * hourMs - 1_000; clock.atMs += 10 * minuteMs) {
        expect(await source.getToken()).toBe("token-1");
        await vi.advanceTimersByTimeAsync(graphLimits.tokenMaxMs);
      }
      expect(troubles).toHaveLength(asked.length - 1);
      expect(troubles[0]).toMatch(answer === "error" ? /is away/ : /did not answer within 60 s/);
      next.answer = "token";
      clock.atMs = 24 * hourMs - 1_000;
      expect(await source.getToken()).toBe(`token-${asked.length}`);
    },
  );

  test("that never comes is an error after a minute, and the next call asks anew", bounded, async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { source, asked, next } = identity();
    next.answer = "silence";
    const waiting = Promise.allSettled([source.getToken(), source.getToken()]);
    await vi.advanceTimersByTimeAsync(graphLimits.tokenMaxMs);
    const reasons = (await waiting).map((one) => (one.status === "rejected" ? String(one.reason) : one.value));
    expect(reasons).toEqual(Array(2).fill("Error: The identity did not answer within 60 s."));
    expect(asked[0]?.options?.abortSignal?.aborted).toBe(true);
    next.answer = "token";
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
    const source = identityToken(credential, scope, atZero);
    await expect(source.getToken()).rejects.toThrow("down");
    isDown = false;
    expect(await source.getToken()).toBe("t");
  });

  test("that is null is an error that names the scope", async () => {
    const source = identityToken({ getToken: async () => null }, scope, atZero);
    await expect(source.getToken()).rejects.toThrow(scope);
  });
});

describe("a credential for clients of Azure's SDKs", () => {
  const storageScope = "https://storage.azure.com/.default";

  test("keeps a token for each scope, and says when it is to be asked again", async () => {
    const { credential, ports, asked } = identity({ lifeMs: hourMs });
    const steady = steadyCredential(credential, ports);
    const first = await steady.getToken(storageScope);
    expect(first).toMatchObject({ token: "token-1", refreshAfterTimestamp: 55 * minuteMs });
    expect(await steady.getToken([storageScope])).toEqual(first);
    expect(await steady.getToken(scope)).toMatchObject({ token: "token-2" });
    expect(asked.map((each) => each.scope)).toEqual([storageScope, scope]);
  });

  test.each([{}, { claims: "{}" }, { tenantId: "contoso" }])(
    "never waits for ever, asked with %j",
    bounded,
    async (options) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const { credential, ports, next } = identity();
      next.answer = "silence";
      const waiting = Promise.allSettled([steadyCredential(credential, ports).getToken(storageScope, options)]);
      await vi.advanceTimersByTimeAsync(graphLimits.tokenMaxMs);
      expect(await waiting).toMatchObject([{ status: "rejected", reason: { message: /did not answer within 60 s/ } }]);
    },
  );

  test("gives what a challenge asks for, and no token that was kept", async () => {
    const { credential, ports, asked } = identity();
    const steady = steadyCredential(credential, ports);
    await steady.getToken(storageScope);
    expect(await steady.getToken(storageScope, { claims: "{}" })).toMatchObject({ token: "token-2" });
    expect(asked[1]?.options).toMatchObject({ claims: "{}" });
  });

  test("rejects nothing while its token is valid: the SDK would not hear it", async () => {
    const { credential, ports, clock, next } = identity();
    const steady = steadyCredential(credential, ports);
    await steady.getToken(storageScope);
    next.answer = "error";
    clock.atMs = hourMs - 1_001;
    expect(await steady.getToken(storageScope)).toMatchObject({ token: "token-1" });
    clock.atMs = hourMs - 1_000;
    await expect(steady.getToken(storageScope)).rejects.toThrow("away");
  });
});

test("a trial token is always the same one", async () => {
  const source = trialToken("eyJ0.a-b_c.d");
  expect([await source.getToken(), await source.getToken({ fresh: true })]).toEqual(["eyJ0.a-b_c.d", "eyJ0.a-b_c.d"]);
});

test.each(["", "a b", "a\n", "caf\u00e9"])("I8: a trial token like %j is refused, without being shown", (token) => {
  expect(() => trialToken(token)).toThrow("The trial token holds blanks, line breaks or nothing at all.");
});
