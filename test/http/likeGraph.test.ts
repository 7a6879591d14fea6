import { expect, test } from "vitest";
import { below, type Random, randomFrom } from "../../local/graph/random.js";
import { runs } from "../fuzz/runs.js";
import { discovered } from "../worlds/fleet.js";
import { routesOver } from "../worlds/http.js";

/**
 * The second "done when" of reading it like Graph: random requests for a list, with every option, answered by the simulator, whose
 * rules are cited from Graph's and OData's documentation (`local/graph/filterText.ts`, `listOptions.ts`), and by the mirror. Neither
 * reads a word of the other. `FUZZ_RUNS=9000` asks more.
 */

const { numRuns } = runs(300);

/** Values that make a difference: case, quotes, accents, null, emptiness. */
const names = [
  "Team",
  "team",
  "TEAM 2",
  "O'Brien",
  "Straße",
  "STRASSE",
  "Zoé",
  "zoe",
  "",
  "a_b",
  "aZb",
  "Élan",
  "élan",
];
const owners = [
  { name: "Adele", address: "adele@contoso.com" },
  { name: "adele", address: "ADELE@fabrikam.com" },
  { name: "Bob", address: null },
  { name: null, address: "bob@contoso.com" },
  null,
];
const colors = ["auto", "lightBlue", "lightGreen", "maxColor"];
const flags = ["isShared", "isSharedWithMe", "canEdit", "canShare", "isRemovable", "isDefaultCalendar"];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[below(random, values.length)] as Value;
}

/** A mailbox of the simulator with calendars of all sorts, and the mirror of it. */
async function mirrored(random: Random) {
  const world = await discovered({ mailboxes: 1, calendars: 40 });
  const [mailboxId = ""] = world.graph.mailboxes.ids();
  for (const { id } of world.graph.truth(mailboxId)) {
    const values = {
      name: pick(random, [...names, null]),
      owner: pick(random, owners),
      color: pick(random, colors),
      hexColor: pick(random, ["", "#00ff00", null]),
      calendarGroupId: pick(random, [null, "AAA", "aaa"]),
      ...Object.fromEntries(flags.map((flag) => [flag, pick(random, [true, false, null])])),
    };
    world.graph.updateCalendar(mailboxId, id, values);
  }
  await world.tick();
  const ids = world.graph.truth(mailboxId).map(({ id }) => id);
  return { world, mailboxId, ids, mirror: routesOver(world.store, world.clock.nowMs, {}, world.shards) };
}

/** A word in another case, at times. */
function shouted(random: Random, word: string): string {
  const chance = below(random, 6);
  return chance === 0 ? word.toUpperCase() : chance === 1 ? word[0]?.toUpperCase() + word.slice(1) : word;
}

/** Properties that are texts, and where a text to compare them with comes from. */
const texts: Readonly<Record<string, readonly string[]>> = {
  name: names,
  hexColor: ["", "#00FF00", "#00ff00", "#"],
  "owner/name": ["adele", "Adele", "BOB", "b"],
  "owner/address": ["bob@contoso.com", "Adele@Contoso.com", "contoso", ".com"],
  calendarGroupId: ["AAA", "aaa", "a", "A"],
  id: [],
  changeKey: ["A=="],
};

function textLiteral(random: Random, ids: readonly string[], property: string): string {
  const likely = [...(texts[property] ?? []), pick(random, ids)];
  const value = pick(random, below(random, 5) === 0 ? names : likely);
  return `'${value.replaceAll("'", "''")}'`;
}

/** Something that is not right, so that both have to refuse it. */
const wrong = [
  "nmae eq 'a'",
  "owner/nmae eq 'a'",
  "name eq",
  "name eq 'a",
  "(name eq 'a'",
  "name eq 5",
  "color eq 'blue'",
  "name",
  "owner eq 'a'",
  "isShared eq 'true'",
  "isShared eq True",
  "tolower(name) eq 'a'",
  "foo(name)",
  "contains(name)",
  "contains(isShared,'a')",
  "allowedOnlineMeetingProviders/any(a:a eq 'x')",
  "color has 'auto'",
  "name eq 'a' name",
  "name in 'a'",
  "not name",
  "color gt name",
];

function filterOf(random: Random, ids: readonly string[], depth: number): string {
  const inner = () => filterOf(random, ids, depth - 1);
  const word = (one: string) => shouted(random, one);
  const property = pick(random, Object.keys(texts));
  const text = word(property);
  const relation = word(pick(random, ["eq", "ne", "gt", "ge", "lt", "le"]));
  const literal = () => textLiteral(random, ids, property);
  switch (below(random, depth > 0 ? 12 : 8)) {
    case 0:
    case 1:
      return `${text} ${relation} ${pick(random, [literal(), literal(), "null"])}`;
    case 2: {
      const member = pick(random, [
        `'${pick(random, colors)}'`,
        `microsoft.graph.calendarColor'auto'`,
        "null",
        "'AUTO'",
      ]);
      return `${word("color")} ${relation} ${member}`;
    }
    case 3:
      return `${text} ${word("in")} (${literal()}, ${literal()}${pick(random, [", null", ""])})`;
    case 4:
      return `${word(pick(random, ["contains", "startswith", "endswith"]))}(${text},${literal()})`;
    case 5:
      return pick(random, [
        `${pick(random, flags)} ${relation} ${pick(random, ["true", "false", "null"])}`,
        pick(random, flags),
      ]);
    case 6:
      return `${text} ${relation} ${pick(random, Object.keys(texts))}`;
    case 7:
      return pick(random, ["owner eq null", "owner ne null", "true", "null", "color in ('auto','lightblue')"]);
    case 8:
      return `${inner()} ${word("and")} ${inner()}`;
    case 9:
      return `${inner()} ${word("or")} ${inner()}`;
    case 10:
      return `${word("not")} (${inner()})`;
    default:
      return `(${inner()})`;
  }
}

const keys = ["name", "owner/name", "owner/address", "color", "hexColor", "isShared", "canEdit", "calendarGroupId"];

/** Keys of an order; `isTotal`: with the id as the last one, so that every calendar has its place. */
function orderOf(random: Random, isTotal: boolean): string {
  const some = Array.from({ length: 1 + below(random, 2) }, () => pick(random, keys));
  const all = isTotal ? [...some, "id"] : some;
  return all
    .map((key) => `${shouted(random, key)}${pick(random, ["", " asc", " desc", " DESC"])}`)
    .join(pick(random, [",", ", "]));
}

/** One request: its options, and whether its order is Graph's own affair. */
function requestOf(random: Random, ids: readonly string[]) {
  const options = new Map<string, string>([["$top", String(1 + below(random, pick(random, [5, 15, 60])))]]);
  const chance = (of: number) => below(random, of) === 0;
  const isOrdered = !chance(3);
  if (isOrdered)
    options.set("$orderby", chance(25) ? pick(random, ["nmae", "owner", "name,", "name foo"]) : orderOf(random, true));
  if (!chance(3)) options.set("$filter", chance(12) ? pick(random, wrong) : filterOf(random, ids, 3));
  if (isOrdered && chance(3)) options.set("$skip", pick(random, ["0", "1", "7", "39", "500", "-1"]));
  if (chance(3)) options.set("$count", pick(random, ["true", "true", "false", "yes"]));
  if (chance(3))
    options.set(
      "$select",
      pick(random, ["name", "ID,Name,color", "owner", "owner/ADDRESS,name", "id", "*", "CHANGEKEY, owner", "nmae"]),
    );
  if (chance(6)) options.set("$format", pick(random, ["json", "application/json", "atom"]));
  if (chance(15)) options.set("$top", pick(random, ["0", "x"]));
  const named = [...options].map(([name, value]) => {
    const plain = chance(8) ? name.slice(1) : chance(8) ? name.toUpperCase() : name;
    return `${plain}=${chance(4) ? new URLSearchParams([["", value]]).toString().slice(1) : encodeURIComponent(value)}`;
  });
  return { text: named.join("&"), isOrdered };
}

type ListBody = {
  readonly value?: readonly Readonly<Record<string, unknown>>[];
  readonly error?: { readonly code: string };
  readonly [name: string]: unknown;
};
type Asking = (url: string) => Promise<{ readonly status: number; readonly body: ListBody }>;

/** What a program sees that follows all links: pages with their counts, or why it was refused. */
async function walked(ask: Asking, url: string) {
  const pages: { readonly items: readonly unknown[]; readonly count: unknown; readonly context: string }[] = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const { status, body } = await ask(next);
    if (status !== 200 || body.value === undefined) return { refused: `${status} ${body.error?.code}` };
    const context = String(body["@odata.context"]).replace(/^.*\$metadata#/, "");
    pages.push({ items: body.value, count: body["@odata.count"], context });
    if (pages.length > 60) throw new Error("The list does not end.");
    next = body["@odata.nextLink"] as string | undefined;
  }
  return { pages };
}

/** Without an order of their own, pages hold the same calendars all the same, as many on each page. */
function unordered(seen: Awaited<ReturnType<typeof walked>>) {
  if (!("pages" in seen)) return seen;
  const items = seen.pages.flatMap((page) => page.items).map((item) => JSON.stringify(item, sortedKeys));
  return { pages: seen.pages.map((page) => ({ ...page, items: page.items.length })), items: items.sort() };
}

function sortedKeys(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

test(
  `${numRuns} random requests for a list get the simulator's answers from the mirror: values, order, count, pages, refusals`,
  async () => {
    const random = randomFrom(18);
    const { world, mailboxId, ids, mirror } = await mirrored(random);
    const graph: Asking = async (url) => {
      const { status, body } = world.graph.handle({ method: "GET", url, headers: { authorization: "Bearer fake" } });
      return { status, body: JSON.parse(body) as ListBody };
    };
    const kinds = { refused: 0, severalPages: 0, empty: 0, some: 0 };
    for (let run = 0; run < numRuns; run++) {
      const { text, isOrdered } = requestOf(random, ids);
      const path = `/users/${mailboxId}/calendars?${text}`;
      const [theirs, ours] = [await walked(graph, `/beta${path}`), await walked(mirror.ask, path)];
      const asked = `request ${run}: ${decodeURIComponent(text)}`;
      expect(isOrdered ? ours : unordered(ours), asked).toEqual(isOrdered ? theirs : unordered(theirs));
      if (!("pages" in ours)) kinds.refused++;
      else if (ours.pages.length > 1) kinds.severalPages++;
      else if (ours.pages[0]?.items.length === 0) kinds.empty++;
      else kinds.some++;
      const counted = /(?:^|&)(\$?filter=[^&]*)/i.exec(text)?.[1] ?? "";
      const [number, ourNumber] = [
        world.graph.handle({
          method: "GET",
          url: `/beta/users/${mailboxId}/calendars/$count?${counted}`,
          headers: { authorization: "Bearer fake" },
        }),
        await mirror.ask(`/users/${mailboxId}/calendars/$count?${counted}`),
      ];
      const numberOf = (status: number, body: unknown) => (status === 200 ? String(body) : status);
      expect(numberOf(ourNumber.status, ourNumber.body), asked).toBe(numberOf(number.status, number.body));
    }
    for (const [kind, count] of Object.entries(kinds)) expect(count, kind).toBeGreaterThan(15);
  },
  30_000 + 20 * numRuns,
);
