import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePageMessage, parsePushMessage, parseRoundsMessage } from "../../shared/messages.js";
import { parkDeliveries } from "../../shared/push/pushMessages.js";
import { parkPages, parkRounds } from "../../shared/rounds/poison.js";
import type { Ports } from "../../shared/rounds/ports.js";
import { hostileJson, hostileText } from "./hostile.js";
import { fixedDraws, runs } from "./runs.js";

/** Bodies that nearly fit: right names with wrong values, right values beside strange ones. */
const almost = fc.dictionary(
  fc.constantFrom("shard", "tick", "run", "mailbox", "round", "page", "subscription", "wake", "__proto__", "link"),
  fc.oneof(hostileText, fc.integer(), fc.double(), fc.constant(null), fc.constantFrom("00", "ff", "0g")),
);
const bodies = fc.oneof(almost, hostileJson, hostileText);
const word = fc.string({ minLength: 1, maxLength: 40 });
/** Messages as we write them. */
const ours = fc.oneof(
  fc.record({ shard: fc.constantFrom("00", "0a", "ff"), tick: word }),
  fc.record({ mailbox: word, round: word, page: fc.nat() }),
  fc.record({ subscription: word }),
  fc.record({ wake: word }),
);

function outcomeOf<Message>(parse: (body: unknown) => Message, body: unknown): Message | Error {
  try {
    return parse(body);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

test.each([
  ["rounds", parseRoundsMessage, ["shard", "tick", "run", "discover"]],
  ["page", parsePageMessage, ["mailbox", "round", "page"]],
  ["push", parsePushMessage, ["subscription", "wake"]],
] as const)("a %s message is taken as it is or refused in one line that repeats nothing of it", (_, parse, names) => {
  const drawn = fc.oneof(bodies, ours);
  fc.assert(
    fc.property(drawn, (body) => {
      const outcome = outcomeOf<object>(parse, body);
      if (!(outcome instanceof Error)) {
        expect(outcome).toEqual(body);
        expect(Object.keys(outcome).every((name) => (names as readonly string[]).includes(name))).toBe(true);
        return;
      }
      expect(outcome.message).toMatch(
        /^The queue message is not \{[a-z, ]+\} \(.*\)\. It was not written by calendar-mirror\.$/,
      );
      expect(outcome.message.length).toBeLessThan(400);
    }),
    runs(500),
  );
  const taken = fixedDraws(drawn).filter((body) => !(outcomeOf<object>(parse, body) instanceof Error));
  expect(taken.length).toBeGreaterThan(20);
});

test("I7: a poison message of any kind is logged and dropped, and nothing is asked of the store for it", async () => {
  const untouchable = new Proxy({} as Ports["store"], {
    get: () => {
      throw new Error("The store was asked.");
    },
  });
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      fc.pre(
        [parsePageMessage, parseRoundsMessage, parsePushMessage].every(
          (parse) => outcomeOf<object>(parse, body) instanceof Error,
        ),
      );
      const logged: string[] = [];
      const log: Ports["log"] = (level) => logged.push(level);
      expect(await parkPages(body, { store: untouchable, log } as Ports)).toBe("unreadable");
      expect(parkRounds(body, log)).toBe("unreadable");
      expect(parkDeliveries(body, log)).toBe("unreadable");
      expect(logged).toEqual(["error", "error", "error"]);
    }),
    runs(200),
  );
});
