import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { routesOver } from "../worlds/http.js";
import { worldWith } from "../worlds/mailbox.js";
import { row } from "../worlds/rows.js";

const oid = "3f0c2d1e-aaaa-4bbb-8ccc-1234567890a1";
const other = "00000000-aaaa-4bbb-8ccc-1234567890a1";
const claim = "http://schemas.microsoft.com/identity/claims/objectidentifier";

const principalOf = (claims: unknown) =>
  Buffer.from(JSON.stringify({ auth_typ: "aad", claims, name_typ: "n", role_typ: "r" })).toString("base64");
const headersOf = (principal: string, idp = "aad") => ({
  "x-ms-client-principal": principal,
  "x-ms-client-principal-idp": idp,
});
const signedIn = headersOf(
  principalOf([
    { typ: claim, val: oid.toUpperCase() },
    { typ: "oid", val: oid },
  ]),
);

async function opened(isSignInOn: boolean) {
  const world = await worldWith({ a: "A" });
  await addMailbox(oid, {}, world.store, () => "epoch");
  const held = await world.store.readMailbox(oid);
  if (held === null) throw new Error("The mailbox was not added.");
  const next = { ...held.checkpoint, sequence: 1, lastFullRoundMs: 1, lastSuccessMs: 1 };
  await world.store.commitUnits([{ held, rows: [row("mine")], next }], null);
  return routesOver(world.store, () => world.clock.ms, { isSignInOn });
}

describe("me", () => {
  test("is the user whom App Service Authentication signed in, with links that say me", async () => {
    const { ask } = await opened(true);
    const list = await ask("/me/calendars", signedIn);
    expect(list.body["@odata.context"]).toMatch(new RegExp(`/beta/\\$metadata#users\\('${oid}'\\)/calendars$`));
    expect(list.body.value).toEqual([{ id: "mine", name: "mine" }]);
    expect((await ask("/me/calendars/mine", signedIn)).body).toMatchObject({ id: "mine" });
    const delta = await ask("/me/calendars/delta", signedIn);
    expect(delta.body["@odata.deltaLink"]).toMatch(/\/beta\/me\/calendars\/delta\?\$deltatoken=/);
    expect((await ask(String(delta.body["@odata.deltaLink"]), signedIn)).body.value).toEqual([]);
  });

  test("with a token of another's mailbox is refused", async () => {
    const { ask } = await opened(true);
    const theirs = await ask("/users/adele/calendars/delta");
    const token = String(theirs.body["@odata.deltaLink"]).split("?")[1];
    expect((await ask(`/me/calendars/delta?${token}`, signedIn)).body.error.code).toBe("syncStateInvalid");
  });

  test("is refused while that authentication is off, for then anybody could write its headers", async () => {
    const { ask } = await opened(false);
    for (const path of ["", "/mine", "/delta"]) {
      const { status, headers, body } = await ask(`/me/calendars${path}`, signedIn);
      expect([status, headers["www-authenticate"]]).toEqual([401, "Bearer"]);
      expect(body.error.code).toBe("InvalidAuthenticationToken");
    }
  });

  test.each([
    ["nobody", {}],
    ["no principal", { "x-ms-client-principal-idp": "aad" }],
    ["no provider", { "x-ms-client-principal": signedIn["x-ms-client-principal"] }],
    ["another provider", headersOf(signedIn["x-ms-client-principal"], "google")],
    ["no base64", headersOf("!!!")],
    ["no JSON", headersOf(Buffer.from("{").toString("base64"))],
    ["no object", headersOf(Buffer.from("null").toString("base64"))],
    ["no claims", headersOf(principalOf(undefined))],
    ["claims of another shape", headersOf(principalOf([{ type: claim, value: oid }]))],
    ["no object id", headersOf(principalOf([{ typ: "sub", val: oid }]))],
    ["an object id that is none", headersOf(principalOf([{ typ: claim, val: "adele" }]))],
    [
      "two object ids",
      headersOf(
        principalOf([
          { typ: claim, val: oid },
          { typ: "oid", val: other },
        ]),
      ),
    ],
  ])("with a header that holds %s is 401", async (_what, headers) => {
    const { ask } = await opened(true);
    expect((await ask("/me/calendars", headers as Record<string, string>)).status).toBe(401);
  });

  test("who is signed in and not on the roster is 404", async () => {
    const { ask } = await opened(true);
    const stranger = headersOf(principalOf([{ typ: claim, val: other }]));
    expect((await ask("/me/calendars", stranger)).body.error.code).toBe("ResourceNotFound");
  });
});
