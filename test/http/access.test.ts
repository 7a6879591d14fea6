import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { betaMethods } from "../../shared/http/beta/beta.js";

/** Who may call what: the host asks for keys by `authLevel`, so what is registered is what is guarded. */

const folder = join(import.meta.dirname, "..", "..", "functions");
const registered = readdirSync(folder).flatMap((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const calls = text.split(/\bapp\.http\(/).slice(1);
  return calls.map((call) => ({
    name: /^\s*"(\w+)"/.exec(call)?.[1],
    level: /\bauthLevel:\s*"(\w+)"/.exec(call)?.[1],
    route: /\broute:\s*"([^"]+)"/.exec(call)?.[1] ?? "",
    methods: /\bmethods:\s*\[([^\]]*)\]/.exec(call)?.[1]?.replace("...betaMethods", JSON.stringify(betaMethods)) ?? "",
    text,
  }));
});

test("without a key one may ask for health, for the page, which holds no data, and for one's own calendars where sign-in guards them; nothing else", () => {
  const open = registered.filter(({ level }) => level !== "function").map(({ name, level }) => `${name}: ${level}`);
  expect(open).toEqual(["betaMeCalendars: anonymous", "dashboard: anonymous", "health: anonymous"]);
  expect(registered.length).toBeGreaterThan(open.length);
});

test("every HTTP function answers through the one handler, which sets the headers; health has its own way there, and the page its own headers", () => {
  const others = registered.filter(({ text }) => !/\bhttpHandler\(/.test(text)).map(({ name }) => name);
  expect(others).toEqual(["dashboard", "health"]);
});

test("what answers GET answers HEAD too, which probes send, and for which the host has a 404 of its own", () => {
  const reading = registered.filter(({ methods }) => methods.includes('"GET"'));
  expect(reading.length).toBeGreaterThan(8);
  expect(reading.filter(({ methods }) => !methods.includes('"HEAD"')).map(({ name }) => name)).toEqual([]);
});

test("below beta, the function for all the rest comes last in the order of names, by which the host tries them", () => {
  const below = registered
    .filter(({ route }) => route.startsWith("beta/"))
    .map(({ name = "", route }) => [name, route]);
  expect(below.sort().at(-1)).toEqual(["restOfBeta", "beta/{*rest}"]);
  expect(below.length).toBe(5);
});

test("the guide's key that only reads opens every function that only reads, and no other", () => {
  const guide = readFileSync(join(folder, "..", "docs", "operations.md"), "utf8");
  const listed = /for function in ([\w ]+); do/.exec(guide)?.[1]?.split(" ") ?? [];
  // By `operator` the page knows whether its key may act.
  const reading = registered.filter(
    ({ name, level, methods }) => level === "function" && methods === '"GET", "HEAD"' && name !== "operator",
  );
  expect(listed).toEqual(reading.map(({ name }) => name).sort());
  expect(listed.length).toBeGreaterThan(8);
  for (const name of ["mailbox", "mailboxList"]) expect(listed).toContain(name);
});
