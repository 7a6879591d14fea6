import { describe, expect, test } from "vitest";
import { type Account, kindOfPurpose, knownKinds, leaveReasonOf, mailboxKinds } from "../../shared/sync/mailboxKind.js";

const all = new Set(knownKinds);
const member: Account = { removed: null, accountEnabled: true, userType: "Member", mail: "a@contoso.com" };
const disabled: Account = { ...member, accountEnabled: false };

describe("whether a mailbox is mirrored", () => {
  test.each(mailboxKinds)("an enabled member with mail is, whatever its kind: %s", (kind) => {
    expect(leaveReasonOf(member, kind, all)).toBeNull();
  });

  test.each(["shared", "room", "equipment"] as const)("so is a %s whose account nobody signs in with", (kind) => {
    expect(leaveReasonOf(disabled, kind, all)).toBeNull();
  });

  test.each(["user", "linked", "others", "unknown"] as const)(
    "a disabled account is a leaver where it is %s",
    (kind) => {
      expect(leaveReasonOf(disabled, kind, all)).toBe("disabled");
    },
  );

  test.each([
    ["deleted", { removed: "deleted" }],
    ["softDeleted", { removed: "changed" }],
    ["guest", { userType: "Guest" }],
    ["noMail", { mail: null }],
    ["noMail", { mail: "" }],
  ] as const)("a shared mailbox leaves all the same when it is %s", (reason, account) => {
    expect(leaveReasonOf({ ...disabled, ...account }, "shared", all)).toBe(reason);
  });

  test("I3: what was not reported takes nobody away", () => {
    expect(leaveReasonOf({ ...member, accountEnabled: null, userType: null }, "unknown", all)).toBeNull();
  });

  test("kinds that the roster does not take stay out; one that is not known stays in", () => {
    const rooms = new Set(["room"] as const);
    expect(leaveReasonOf(member, "user", rooms)).toBe("kind");
    expect(leaveReasonOf(disabled, "shared", rooms)).toBe("kind");
    expect(leaveReasonOf(disabled, "room", rooms)).toBeNull();
    expect(leaveReasonOf(member, "unknown", rooms)).toBeNull();
  });
});

test("Graph's words for a purpose, in any case; a new one is one of the others", () => {
  expect(["user", "Room", "EQUIPMENT", "unknownFutureValue", "hologram"].map(kindOfPurpose)).toEqual([
    "user",
    "room",
    "equipment",
    "others",
    "others",
  ]);
});
