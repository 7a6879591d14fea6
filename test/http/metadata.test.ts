import { beforeAll, describe, expect, test } from "vitest";
import { betaRoute } from "../../shared/http/beta/beta.js";
import { metadataXml } from "../../shared/http/beta/metadata.js";
import { openapiDocument } from "../../shared/http/openapi/description.js";
import { origin, type Reply, routesOver } from "../worlds/http.js";
import { type MailboxWorld, mailboxId, worldWith } from "../worlds/mailbox.js";
import { subscriptionRoutes } from "../worlds/subscriptionRoutes.js";
import { validatorOf } from "./openapiValidator.js";

/** Elements of the document, by tag: their attributes. `test/clients/dotnet/odata` has a reader of OData validate the whole. */
const elements = [...metadataXml.matchAll(/<(\w+)((?: \w+="[^"]*")+)/g)].map(([, tag = "", attributes = ""]) => ({
  tag,
  attributes: Object.fromEntries([...attributes.matchAll(/ (\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
}));
const types = elements
  .filter(({ tag }) => /^(Entity|Complex)Type$/.test(tag))
  .map(({ attributes }) => `microsoft.graph.${attributes["Name"]}`);
const full = (name: string) => name.replace(/^Collection\((.*)\)$/, "$1").replace(/^graph\./, "microsoft.graph.");

/** The type that a navigation property of a type leads to. */
function through(type: string, property: string): string | undefined {
  const name = type.split(".").at(-1);
  const body = new RegExp(`<EntityType Name="${name}"([^]*?)</EntityType>`).exec(metadataXml)?.[1] ?? "";
  const found = new RegExp(`<NavigationProperty Name="${property}" Type="([^"]+)"`).exec(body)?.[1];
  return found === undefined ? undefined : full(found);
}

/** What the fragment of a context names, as a type of the document; undefined: nothing. */
function resolved(context: string): string | undefined {
  const fragment = decodeURIComponent(context.split("#")[1] ?? "").replace(/\/\$entity$/, "");
  const collection = /^Collection\((.+)\)$/.exec(fragment)?.[1];
  if (collection !== undefined) return types.find((type) => type === collection);
  const [set = "", ...segments] = fragment.split("/").map((segment) => segment.replace(/\(.*\)$/, ""));
  const start = elements.find(({ tag, attributes }) => tag === "EntitySet" && attributes["Name"] === set);
  const type = start?.attributes["EntityType"];
  return segments.reduce<string | undefined>(
    (from, segment) => (from === undefined ? undefined : through(from, segment)),
    type === undefined ? undefined : full(type),
  );
}

describe("the metadata document", () => {
  const misfit = validatorOf(openapiDocument(`${origin}/api`));
  let world: MailboxWorld;
  beforeAll(async () => {
    world = await worldWith({ a: "A" });
    const isDefaultCalendar = true;
    await world.page([{ id: "b", name: "B", others: { calendarGroupId: "one", isDefaultCalendar } }]);
  });
  const beta = async (path: string) => {
    const { through } = routesOver(world.store, () => world.clock.ms);
    return (await through(betaRoute, `${origin}/api/beta/${path}`)) as Reply<Readonly<Record<string, unknown>>>;
  };

  test("is served as XML, and never as an answer of one mailbox", async () => {
    const { status, headers } = await beta("$metadata");
    expect([status, headers["content-type"]]).toEqual([200, "application/xml;charset=utf-8"]);
    expect(metadataXml).toMatch(/^<\?xml version="1.0" encoding="utf-8"\?>\n<edmx:Edmx Version="4.0" /);
  });

  test("names no type that it does not declare", () => {
    const named = elements.flatMap(({ attributes }) =>
      ["Type", "BaseType", "EntityType"].map((name) => attributes[name] ?? "Edm.None"),
    );
    const ours = named.map(full).filter((name) => !name.startsWith("Edm."));
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter((name) => !types.includes(name))).toEqual([]);
  });

  test.for([
    ["users/{id}/calendars", "calendar"],
    ["users/{id}/calendars?$select=name", "calendar"],
    ["users/{id}/calendars/a", "calendar"],
    ["users/{id}/calendar", "calendar"],
    ["users/{id}/calendar?$select=name", "calendar"],
    ["users/{id}/calendarGroups", "calendarGroup"],
    ["users/{id}/calendarGroups/one", "calendarGroup"],
    ["users/{id}/calendarGroups/one/calendars", "calendar"],
    ["users/{id}/calendarGroups/one/calendars/b", "calendar"],
    ["users/getAllCalendars", "calendar"],
    ["users/getAllCalendars/delta", "entity"],
  ] as const)("%s: its @odata.context resolves to %s, and the description fits it", async ([path, type]) => {
    const { status, body } = await beta(path.replace("{id}", mailboxId));
    const context = String(body["@odata.context"]);
    expect(context.split("#")[0]).toBe(`${origin}/api/beta/$metadata`);
    expect(resolved(context)).toBe(`microsoft.graph.${type}`);
    expect([status, misfit("GET", `beta/${path}`, status, body)]).toEqual([200, []]);
  });

  test("subscriptions: their contexts resolve, every property is declared, and so is the secret that a new one tells", async () => {
    const { send, wanted } = await subscriptionRoutes();
    const { body: created } = await send("POST", "", wanted());
    const { body: list } = await send("GET");
    for (const body of [created, list])
      expect(resolved(String(body["@odata.context"]))).toBe("microsoft.graph.subscription");
    const type = /<EntityType Name="subscription".*?<\/EntityType>/s.exec(metadataXml)?.[0] ?? "";
    const declared = ["id", ...[...type.matchAll(/<Property Name="(\w+)"/g)].map(([, name]) => name ?? "")];
    expect(Object.keys(list.value[0] ?? {}).sort()).toEqual(declared.sort());
    expect(Object.keys(created).filter((name) => /^@(?!odata)/.test(name))).toEqual(["@calendarMirror.signingSecret"]);
    expect(metadataXml).toMatch(/<Schema Namespace="calendarMirror".*<Term Name="signingSecret"/s);
  });

  test("a delta page names its type as Graph does, without the namespace", async () => {
    const { body } = await beta(`users/${mailboxId}/calendars/delta`);
    expect(body["@odata.context"]).toBe(`${origin}/api/beta/$metadata#Collection(calendar)`);
    expect(types).toContain("microsoft.graph.calendar");
  });

  test("nothing resolves that it does not declare", () => {
    for (const fragment of ["Collection(calendar)", "users('a')/events", "calendars", ""]) {
      expect(resolved(`${origin}/api/beta/$metadata#${fragment}`)).toBeUndefined();
    }
  });
});
