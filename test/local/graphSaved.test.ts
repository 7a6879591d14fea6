import { expect, test } from "vitest";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import type { SavedGraph } from "../../local/graph/saved.js";
import { startGraphServer } from "../../local/graph/server.js";

/** A simulated tenant that is saved and taken up again, as `npm start --data` does. */

const made = () => createGraph({ clock: { nowMs: () => 0 }, random: randomFrom(7), mailboxes: 6, calendars: 3 });

/** As a file holds it. */
function again(core: GraphSimulator): GraphSimulator {
  const next = made();
  next.restore(JSON.parse(JSON.stringify(core.saved())));
  return next;
}

function ask(core: GraphSimulator, url: string): Record<string, unknown> {
  const { body } = core.handle({ method: "GET", url, headers: { authorization: "Bearer any" } });
  return JSON.parse(body) as Record<string, unknown>;
}

const deltaLink = (page: Record<string, unknown>) => String(page["@odata.deltaLink"]).replace(/^https:..[^/]+/, "");

function changed(): GraphSimulator {
  const core = made();
  const [first = "", second = "", third = "", fourth = ""] = core.mailboxes.ids();
  for (let edit = 0; edit < 60; edit++) core.editAtRandom();
  core.moveCalendars(first);
  core.mailboxes.setState(second, { kind: "denied" });
  core.mailboxes.convert(third, "shared");
  core.mailboxes.replaceIds(fourth);
  core.mailboxes.remove(core.mailboxes.idAt(4), "changed");
  const [added = ""] = core.mailboxes.add(2, 5);
  core.createCalendar(added, { name: "Of a new one" });
  core.mailboxes.updateUser(added, { displayName: "New Name" });
  return core;
}

test("what was saved is taken up: calendars, users, states, and links that were handed out", () => {
  const core = changed();
  const ids = core.mailboxes.ids();
  const path = (id: string) => `/beta/users/${id}/calendars/delta`;
  const [first = "", , , , , added = ""] = ids;
  const links = [first, added].map((id) => deltaLink(ask(core, path(id))));
  const users = deltaLink(ask(core, "/v1.0/users/delta"));
  const next = again(core);
  expect(next.mailboxes.ids()).toEqual(ids);
  for (const id of ids) {
    expect(next.truth(id)).toEqual(core.truth(id));
    expect([next.mailboxes.user(id), next.mailboxes.state(id), next.mailboxes.purpose(id)]).toEqual([
      core.mailboxes.user(id),
      core.mailboxes.state(id),
      core.mailboxes.purpose(id),
    ]);
  }
  for (const link of [...links, users]) expect(ask(next, link)["value"]).toEqual([]);
  const calendar = next.createCalendar(first, { name: "After" });
  expect(ask(next, links[0] ?? "")["value"]).toMatchObject([{ id: calendar.id, name: "After" }]);
});

test("what was saved twice is the same, and nothing is saved of what nobody has changed", () => {
  const core = changed();
  expect(again(core).saved()).toEqual(core.saved());
  expect(made().saved()).toEqual({ size: 6, directorySequence: 0, users: [], mailboxes: [] });
});

test("a server saves a change before Graph tells of it, once, and not what is only read", async () => {
  const core = made();
  const saved: SavedGraph[] = [];
  const server = await startGraphServer({ core, save: (one) => saved.push(one) });
  const headers = { authorization: "Bearer any" };
  const [id = ""] = core.mailboxes.ids();
  const read = () => fetch(`${server.url}/beta/users/${id}/calendars`, { headers });
  await read();
  await fetch(`${server.url}/_control/stats`);
  await read();
  expect(saved).toHaveLength(0);
  await fetch(`${server.url}/_control/edits`, { method: "POST", body: '{"random":1}' });
  await read();
  await read();
  expect(saved).toEqual([core.saved()]);
  await fetch(`${server.url}/_control/edits`, { method: "POST", body: '{"random":1}' });
  await server.close();
  expect(saved[1]).toEqual(core.saved());
});
