import "./page.js";
import { expect, test } from "vitest";
import { addressOf, hrefTo, idIn, mailboxHref } from "../../dashboard/address.js";
import { lookBackTo, replacedReader, splitGone } from "../../dashboard/gone.js";
import { historyPath } from "../../dashboard/history.js";
import { currentKey, forgetKey, useKey } from "../../dashboard/key.js";
import { measures, rangeOf, type Tick } from "../../dashboard/measures.js";
import { inReadersNumbers, number, span, valueText } from "../../dashboard/words.js";
import { bar, storage } from "./page.js";

/** Addresses, the key, numbers and measures of the dashboard. */

test("a key in the address is kept, and gone from what can be copied before anything else happens", () => {
  expect(currentKey()).toBe("s3cret");
  expect(bar.href).toBe("https://mirror.example/api/dashboard#/mailboxes?state=parked");
  expect(storage.getItem("key of /api/")).toBe("s3cret");
});

test("a key is typed with or without spaces around it, and forgotten by the browser too", () => {
  useKey(" other ");
  expect([currentKey(), storage.getItem("key of /api/")]).toEqual(["other", "other"]);
  forgetKey();
  expect([currentKey(), storage.getItem("key of /api/")]).toEqual([null, null]);
});

test("any id makes an address that leads back to it, and is never a path or a query of its own", () => {
  for (const id of ["a/b", "a?state=x", "../status", "#", "%2F", "名前", "a b&c=d"]) {
    const { path, query } = addressOf(mailboxHref(id));
    expect(idIn("/mailboxes/:id", path)).toBe(id);
    expect([...query]).toEqual([]);
  }
  expect(idIn("/mailboxes/:id", "/mailboxes/%")).toBeUndefined();
  expect(idIn("/mailboxes/:id", "/mailboxes/")).toBeUndefined();
  expect(hrefTo("/mailboxes", { state: "parked", reason: "denied:a&b=c", kind: "" })).toBe(
    "#/mailboxes?state=parked&reason=denied%3Aa%26b%3Dc",
  );
});

test("the range of an address is one that there is", () => {
  expect(["hour", "all", "constructor", "", null].map(rangeOf)).toEqual(["hour", "all", "day", "day", "day"]);
});

const tick = (told: object) => told as Tick;
const measure = (name: string) => {
  const found = measures.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no measure ${name}.`);
  return found;
};

test("all fresh is said only where all are: 9,999 of 10,000 is less", () => {
  const fresh = measure("Fresh");
  const share = fresh.of(tick({ standing: { mirrored: 10_000, fresh: 9_999, attention: 1 } }), undefined);
  expect(fresh.text(share ?? 0)).toBe(`${(99.9).toLocaleString()} %`);
  expect(fresh.text(100)).toBe("100 %");
  expect(fresh.of(tick({ standing: null }), undefined)).toBeNull(); // Not told is not zero.
  expect(fresh.of(tick({ standing: { mirrored: 0, fresh: 0, attention: 0 } }), undefined)).toBeNull();
});

test("lag counts from the start of the tick before, which may have just missed a change", () => {
  const before = tick({ started: "2026-11-28T12:00:00Z", seconds: 5 });
  const one = tick({ started: "2026-11-28T12:01:00Z", seconds: 7 });
  expect(measure("Lag").of(one, before)).toBe(67);
  expect(measure("Lag").of(one, undefined)).toBe(7);
  expect(measure("Lag").threshold(60)).toBe(120);
});

test("numbers of the mirror's sentences are as the reader writes them, and codes, ids, versions and times stay", () => {
  expect(inReadersNumbers("The whole list is read for 3 of 1810, and for 12345.")).toBe(
    `The whole list is read for 3 of ${number(1810)}, and for ${number(12345)}.`,
  );
  for (const text of ["http5000 v1.2345 2026-11-28T06:00:00Z a1234b 12345.678 1f0e9a52-1111-4222-8333-444455556666"])
    expect(inReadersNumbers(text)).toBe(text);
});

test("long times and numeric values are written alike", () => {
  expect(span(86_400 * 1_810)).toBe(`${number(1_810)} d`);
  expect(valueText(1_810)).toBe(number(1_810));
});

const gone = (id: string, removed: string) => ({ id, removed }) as Parameters<typeof splitGone>[0][number];

test("calendars that were replaced are told as the history tells them, and no others", () => {
  const calendars = [gone("a", "2026-11-28T12:00:00Z"), gone("b", "2026-11-28T11:00:00Z")];
  const { replaced, removed } = splitGone(calendars, new Set(["b", "c"]));
  expect([replaced.map(({ id }) => id), removed.map(({ id }) => id)]).toEqual([["b"], ["a"]]);
});

test("the history is read back to the first that has gone since the last look, and not again for the same", async () => {
  const asked: string[] = [];
  const pages = [
    { value: [{ replacedId: "a" }], cursor: "next" },
    { value: [{ replacedId: null }, { replacedId: "x" }], cursor: null },
  ];
  const get = async <Body>(path: string) => {
    asked.push(path);
    return pages[asked.length - 1] as Body;
  };
  const read = replacedReader({ get }, (filter, cursor) => historyPath("mailboxes/m/history", filter, cursor));
  const calendars = [gone("a", "2026-11-28T12:00:00Z"), gone("b", "2026-11-28T11:00:00Z")];
  expect(lookBackTo(calendars, new Set())).toBe("2026-11-28T10:55:00.000Z");
  expect(await read([])).toEqual(new Set());
  expect([...(await read(calendars))]).toEqual(["a", "x"]);
  expect([...(await read(calendars))]).toEqual(["a", "x"]);
  expect(asked.map((path) => new URLSearchParams(path.split("?")[1]).get("kind"))).toEqual(["replaced", "replaced"]);
  expect(asked[1]).toContain("cursor=next");
});
