import { describe, expect, test } from "vitest";
import { openapiDocument } from "../../shared/http/openapi/description.js";
import { historyKinds } from "../../shared/views/historyKinds.js";
import { discovered, fitUsers } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";
import { validatorOf } from "./openapiValidator.js";

type Item = { id: string; time: string; mailbox: { id: string; displayName: string | null }; kind: string } & {
  readonly calendar: { readonly id: string; readonly name: string; readonly owner: string } | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
};
const pageOf = ({ body }: Reply) => body as { value: Item[]; lookedBackTo: string | null; cursor: string | null };
const refusalOf = ({ status, body }: Reply) => {
  const { code, message } = (body as { error: { code: string; message: string } }).error;
  return `${status} ${code}: ${message}`;
};

async function opened() {
  const world = await discovered({ mailboxes: 6, shards: 3 });
  await world.tick();
  return { world, http: httpOf(world), ids: fitUsers(world) };
}

describe("GET history", () => {
  test("tells who renamed what, from what to what, and when it was logged", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    const [calendar] = world.graph.truth(id);
    world.graph.renameCalendar(id, calendar?.id ?? "", "Renamed <b>");
    const atMs = world.clock.ms;
    await world.tick();
    const { value, lookedBackTo, cursor } = pageOf(await http.history("?kind=updated"));
    expect(value).toMatchObject([
      {
        mailbox: { id, displayName: world.graph.mailboxes.displayName(id) },
        kind: "updated",
        calendar: { id: calendar?.id, name: "Renamed <b>" },
        before: { name: calendar?.name },
        after: { name: "Renamed <b>" },
        time: new Date(atMs).toISOString(),
      },
    ]);
    expect([lookedBackTo, cursor]).toEqual([null, null]);
    const owner = encodeURIComponent((value[0]?.calendar?.owner ?? "").toUpperCase());
    expect(pageOf(await http.history(`?owner=${owner}&kind=updated`)).value).toEqual(value);
    const since = encodeURIComponent(new Date(atMs).toISOString().replace("Z", "+00:00"));
    expect(pageOf(await http.history(`?since=${since}`)).value).toEqual(value);
    expect(pageOf(await http.history(`?until=${since}`)).value.map(({ kind }) => kind)).toEqual(
      ids.map(() => "joined"),
    );
  });

  test("is paged: each item once, with the filter and the cursor of the page before", async () => {
    const { http, ids } = await opened();
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = pageOf(await http.history(`?kind=joined&top=2${cursor === "" ? "" : `&cursor=${cursor}`}`));
      expect(page.value.length).toBeLessThanOrEqual(2);
      seen.push(...page.value.map(({ mailbox }) => mailbox.id));
      cursor = page.cursor;
    }
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  test.each([
    ["?since=yesterday", "since must be a time in ISO 8601 with its zone"],
    ["?until=2026-11-28T06:00:00", "until must be a time in ISO 8601 with its zone"],
    ["?since=2026-02-30T00:00:00Z", "since must be a time"],
    ["?since=2026-11-28T06:00:00+01:00", "A + is written %2B."],
    ["?since=2026-11-28T06:00:00Z&until=2026-11-28T06:00:00Z", "since must be before until."],
    ["?kind=renamed", `kind must be one of ${historyKinds.join(", ")}.`],
    [`?owner=${"x".repeat(321)}`, "owner takes 320 characters at most."],
    ["?top=0", "top must be a whole number from 1 to 500."],
    ["?top=501", "top must be a whole number from 1 to 500."],
    ["?cursor=nonsense", "cursor must be one that this history gave, unchanged."],
    [`?cursor=${Buffer.from("[1]").toString("base64url")}`, "cursor must be one that this history gave"],
    [`?cursor=${Buffer.from("[1,-1,0]").toString("base64url")}`, "cursor must be one that this history gave"],
    ["?$top=5", 'The query parameter "$top" is not known here.'],
    ["?kind=left&kind=joined", "The query parameter kind must be given once."],
  ])("refuses %s", async (query, message) => {
    const { http } = await opened();
    const refusal = refusalOf(await http.history(query));
    expect(refusal).toContain("400 invalidRequest");
    expect(refusal).toContain(message);
  });
});

describe("GET mailboxes/{id}/history", () => {
  test("is of that mailbox alone, and of one that has left too", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    expect((await http.remove(id)).status).toBe(204);
    await world.tick();
    const { value } = pageOf(await http.mailboxHistory(id.toUpperCase()));
    expect(value.map(({ kind, mailbox }) => [kind, mailbox.id, mailbox.displayName])).toEqual([
      ["left", id, null],
      ["joined", id, null],
    ]);
  });

  test("keeps of a mailbox that was purged that something changed, and not what its calendars were called", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    const [calendar] = world.graph.truth(id);
    world.graph.renameCalendar(id, calendar?.id ?? "", "Secret plans");
    await world.tick();
    expect((await http.remove(id)).status).toBe(204);
    await world.tick();
    const page = await http.mailboxHistory(id);
    expect(pageOf(page).value.map(({ kind }) => kind)).toEqual(["left", "leftOut", "joined"]);
    expect(JSON.stringify([page.body, (await http.history()).body])).not.toMatch(/Secret plans/);
  });

  test("is empty for an id that nobody ever had, and refuses one that is none", async () => {
    const { http } = await opened();
    const nobody = "00000000-0000-4000-8000-00000000dead";
    expect((await http.mailboxHistory(nobody)).body).toEqual({ value: [], lookedBackTo: null, cursor: null });
    expect(refusalOf(await http.mailboxHistory("a b"))).toContain("400 invalidRequest");
    expect(refusalOf(await http.mailboxHistory("a@contoso.example"))).toContain("404 itemNotFound");
    expect(refusalOf(await http.mailboxHistory("me"))).toContain("400 invalidRequest");
    expect(refusalOf(await http.mailboxHistory(nobody, "?state=new"))).toContain("400 invalidRequest");
  });
});

test("answers are as the OpenAPI description says", async () => {
  const { world, http, ids } = await opened();
  const [id = "", other = ""] = ids;
  const [calendar] = world.graph.truth(id);
  world.graph.renameCalendar(id, calendar?.id ?? "", "Renamed");
  await world.tick();
  const validate = validatorOf(openapiDocument("https://mirror.example/api"));
  for (const [path, { status, body }] of [
    ["history", await http.history()],
    ["history", await http.history("?top=1")],
    ["history", await http.history("?top=x")],
    [`mailboxes/${id}/history`, await http.mailboxHistory(id)],
    [`mailboxes/${other}/history`, await http.mailboxHistory(other, "?kind=left")],
  ] as const) {
    expect(validate("GET", path, status, body)).toEqual([]);
  }
});

test("I8: no answer tells a link", async () => {
  const { http } = await opened();
  expect(JSON.stringify(await http.history("?top=500"))).not.toMatch(/deltatoken|skiptoken|graph\.microsoft/);
});
