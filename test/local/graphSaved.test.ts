import { expect, test } from "vitest";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import type { SavedGraph } from "../../local/graph/saved.js";
import { startGraphServer } from "../../local/graph/server.js";
import { brokenText } from "../../local/start/product.js";

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
  expect(made().saved()).toMatchObject({ size: 6, directorySequence: 0, users: [], mailboxes: [], faults: [] });
});

test("what Graph is told to do wrong is saved, goes on where it was, and can be mended by one call", () => {
  const core = made();
  const [denied = "", well = ""] = core.mailboxes.ids();
  expect(core.broken()).toEqual({ mailboxes: {}, faults: {}, withoutDelta: [], isMailboxSettingsGranted: true });
  core.mailboxes.setState(denied, { kind: "denied" });
  const removed = core.faults.add({ kind: "latency", latencyMs: 1 });
  core.faults.add({ kind: "serverError", count: 2, on: "list" });
  core.faults.remove(removed);
  core.switchDelta("v1.0", "notTracked");
  core.switchMailboxSettings(false);
  core.groups.add("5b5b0000-0000-4000-8000-0000000000c2", [well]);
  const list = (of: GraphSimulator) =>
    of.handle({ method: "GET", url: `/beta/users/${well}/calendars`, headers: { authorization: "Bearer any" } }).status;
  expect(list(core)).toBe(500);
  const next = again(core);
  expect(next.saved()).toEqual(core.saved());
  expect(next.broken()).toEqual({
    mailboxes: { denied: 1 },
    faults: { serverError: 1 },
    withoutDelta: ["v1.0"],
    isMailboxSettingsGranted: false,
  });
  expect([list(next), list(next)]).toEqual([500, 200]); // The second of the two, and no more.
  expect(next.broken().faults).toEqual({});
  expect(next.faults.add({ kind: "latency", latencyMs: 1 })).toBe(3); // No id is given twice.
  next.mend();
  expect(next.broken()).toEqual(made().broken());
  expect(next.mailboxes.state(denied)).toEqual({ kind: "normal" });
});

test("a file of a release that kept none of that is taken up", () => {
  const { size, directorySequence, users, mailboxes } = changed().saved();
  const next = made();
  next.restore({ size, directorySequence, users, mailboxes });
  expect(next.broken()).toEqual({ ...made().broken(), mailboxes: { denied: 1 } });
});

test("the control API tells what is broken, and mends it; how often a rule is left is saved at the end", async () => {
  const core = made();
  const saved: SavedGraph[] = [];
  const server = await startGraphServer({ core, save: (one) => saved.push(one) });
  const control = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return (await fetch(`${server.url}/_control/${path}`, init)).json();
  };
  const read = () =>
    fetch(`${server.url}/beta/users/${core.mailboxes.idAt(0)}/calendars`, { headers: { authorization: "Bearer any" } });
  await control("POST", "faults", { kind: "serverError", count: 3, on: "list" });
  expect(await control("GET", "broken")).toMatchObject({ faults: { serverError: 1 } });
  await read();
  await server.close();
  expect(saved.map(({ faults }) => faults?.map(({ left }) => left))).toEqual([[3], [2]]);
  const second = await startGraphServer({ core });
  await fetch(`${second.url}/_control/broken`, { method: "DELETE" });
  expect(core.broken()).toEqual(made().broken());
  await second.close();
});

test.each([
  [{}, null],
  [{ mailboxes: { denied: 1 } }, "1 mailbox denied"],
  [
    { mailboxes: { gone: 2, full: 1 }, faults: { serverError: 1, throttled: 2 } },
    "2 mailboxes gone, 1 mailbox full, fault serverError, fault throttled (2 rules)",
  ],
  [{ withoutDelta: ["beta"] as const, isMailboxSettingsGranted: false }, "no delta in beta, no MailboxSettings.Read"],
])("in words: %j", (broken, said) => {
  expect(brokenText({ ...made().broken(), ...broken })).toBe(said);
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
