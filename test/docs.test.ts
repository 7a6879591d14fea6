import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { explained } from "../dashboard/reasons.js";
import { guideOf } from "../local/guide.js";
import { settingNames } from "../shared/settings.js";
import { rowUnreadable } from "../shared/store/store.js";
import { newCheckpoint } from "../shared/sync/checkpoint.js";
import { decide } from "../shared/sync/decide.js";
import { mailboxStates } from "../shared/sync/state.js";
import type { Checkpoint, Outcome } from "../shared/sync/types.js";

/** Keeps the documents honest: what the code can say stands in the operations guide, and links lead somewhere. */

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documents = [
  ...["README.md", "SPEC.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];
const sources = ["shared", "functions"].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ path: join(room, name), text: read(join(room, name)) })),
);
const everySource = sources.map(({ text }) => text).join("\n");
const guide = read("docs/operations.md");

/** The part of the guide under a heading, up to the next one of its level. */
function section(heading: string): string {
  const [, text = ""] = guide.split(`\n## ${heading}\n`);
  return text.split("\n## ")[0] ?? "";
}

/** What stands in backticks. */
const codesIn = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
/** A template's places as `<what fills them in>`. */
const withoutCode = (template: string) => template.replace(/\$\{([^}]*)\}/g, "<$1>");
const firstCells = (text: string) => [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) => codesIn(cell));

/** Reasons that an answer of Graph leads to. With the list already in use, nothing is left to fall back to. */
function parkedOutcomes(): readonly string[] {
  // A record, so that the compiler asks for a kind that is new.
  const failures: Record<Exclude<Outcome["kind"], "page" | "lastPage">, null> = {
    throttled: null,
    transient: null,
    unreadable: null,
    resetSync: null,
    denied: null,
    noMailbox: null,
    mailboxFull: null,
    featureUnavailable: null,
    authConfig: null,
    linkRefused: null,
  };
  const listed: Checkpoint = { ...newCheckpoint("adele", "epoch", null), strategy: "list" };
  const moment = { nowMs: 0, jitter: 0, roundId: "round", tick: null };
  return Object.keys(failures).flatMap((kind) => {
    const step = decide(listed, { kind, code: "<code>", retryAfterMs: null } as Outcome, moment);
    return step.next.parkedReason ?? [];
  });
}

describe("the operations guide", () => {
  test("I7: names every state, and no other", () => {
    expect(firstCells(section("What each state means")).sort()).toEqual([...mailboxStates].sort());
  });

  test("I7: names every reason that parks a mailbox", () => {
    const reasons = [
      ...everySource.matchAll(/(?<!function |noted\()\bpark(?:ed)?\(\s*\w[\w.]*,\s*[`"]([^`"]+)[`"]/g),
    ].map(([, reason = ""]) => withoutCode(reason));
    expect(reasons).toHaveLength(everySource.match(/(?<!function |noted\()\bpark(?:ed)?\(/g)?.length ?? 0);
    // Another one here needs a row in the guide.
    const known = ["<outcome.kind>:<outcome.code>", "poisonedPage", "tooLarge:<why>"];
    expect([...new Set(reasons)].sort()).toEqual(known);
    const expected = [...parkedOutcomes(), "tooLarge:<what>", "poisonedPage", "suspended", "removing", rowUnreadable];
    expect(firstCells(section("Parked reasons")).sort()).toEqual(expected.sort());
  });

  test("names every code of Graph that is known, where its class says, and every code of our own", () => {
    const table = /const codesOfKind[^=]*= \{([\s\S]*?)\n\};/.exec(read("shared/graph/classify.ts"))?.[1] ?? "";
    const known = [...table.matchAll(/"([\w-]+)"/g)].map(([, code = ""]) => code);
    // What readers are refused with is told where the feed is.
    const toReaders = [join("shared", "http"), join("shared", "feed", "query")];
    const ours = sources.filter(({ path }) => !toReaders.some((room) => path.startsWith(room))).map(({ text }) => text);
    // What a function returns is a code only where it reports a loop.
    const own = [...ours.join("\n").matchAll(/(?:CallFault\(|code: |return )"(loop\w+|(?<!return ")\w+)"/g)].map(
      ([, code = ""]) => code,
    );
    expect(known.length).toBeGreaterThan(30);
    const documentedElsewhere = ["foreignOrigin"]; // Becomes linkRefused.
    const documented = codesIn(section("Parked reasons") + section("Other codes"));
    const expected = [...known, ...own].filter((code) => !documentedElsewhere.includes(code));
    expect(expected.filter((code) => !documented.includes(code))).toEqual([]);
  });

  test("the dashboard has a sentence for each reason and code of the guide, and finds each line", () => {
    const lines = guideOf(read("docs/operations.md"));
    const codes = lines.filter(({ heading }) => heading !== "What each state means").flatMap((line) => line.codes);
    const ofCodes = codes.filter(
      (code) => /^[\w:.…<>-]+$/.test(code) && !/^(?:403|reset|list|roundReason)$/.test(code),
    );
    expect(ofCodes.length).toBeGreaterThan(60);
    const fallback = explained("nothing that anybody knows");
    expect(ofCodes.filter((code) => explained(code.replace(/<.*|…/, "")) === fallback)).toEqual([]);
  });

  /** Messages of the log: the second argument, after the level, or the only one of the host's own log. */
  const messages = [...everySource.matchAll(/\blog\((?:[^,\n`]*, )?(?:"([^"\n]+)"|`([^`\n]+)`)/g)]
    .map(([, text, template]) => withoutCode(text ?? template ?? ""))
    .filter((text) => !/^(info|warn|error)$/.test(text));
  /** What a template fills in may be any word. */
  const patternOf = (message: string) =>
    new RegExp(
      `^${message
        .split(/<[^>]*>/)
        .map((part) => part.replace(/[.*+?^$()[\]\\|{}]/g, "\\$&"))
        .join("\\w+")}$`,
    );

  test("quotes only messages that the log can hold, and leaves none out", () => {
    const documented = [...section("Log lines").matchAll(/^\| [^|]+ \| ([^|]+) \|/gm)].flatMap(([, cell = ""]) =>
      codesIn(cell),
    );
    expect(documented.length).toBeGreaterThan(20);
    expect(documented.filter((line) => !messages.some((message) => patternOf(message).test(line)))).toEqual([]);
    const undocumented = messages.filter((message) => !documented.some((line) => patternOf(message).test(line)));
    expect(undocumented).toEqual(["tick <tick> shards=<registered.shards>"]);
  });
});

describe("the documents", () => {
  test.each(settingNames)("README documents the setting %s", (name) => {
    const [, table = ""] = read("README.md").split("\n## Settings\n");
    expect(firstCells(table.split("\n## ")[0] ?? "")).toContain(name);
  });

  /** As GitHub makes them of headings. */
  const anchorsOf = (text: string) =>
    [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  test.each(documents)("every link of %s leads to a file, and to a heading, that exists", (path) => {
    const text = read(path);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(([, one, two]) => one ?? two ?? "");
    const lost = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = "", anchor = ""] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      return anchor !== "" && !anchorsOf(read(target)).includes(anchor);
    });
    expect(lost).toEqual([]);
  });

  test.each(documents.filter((path) => path !== "README.md"))("%s is one or two clicks from README", (path) => {
    const linked = (from: string) =>
      [...read(from).matchAll(/\]\(([^)\s#]+\.md)/g)].map(([, file = ""]) => normalize(join(dirname(from), file)));
    const first = linked("README.md");
    expect([...first, ...first.flatMap(linked)]).toContain(path);
  });

  test.each(["README.md", "SPEC.md", "CONTRIBUTING.md"])("every file that %s names exists", (path) => {
    const named = codesIn(read(path)).filter((code) => /^[\w./-]+\.(ts|mjs|sh|bicep|bicepparam|md)$/.test(code));
    const everywhere = ["shared", "functions", "local", "dashboard", "test"].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
        .filter((file) => !file.includes("node_modules"))
        .map((file) => basename(file)),
    );
    // A name alone stands for a file of a room that its sentence names.
    const lost = named.filter((name) =>
      name.includes("/")
        ? ![name, join("shared", name)].some((file) => existsSync(join(root, file)))
        : !existsSync(join(root, name)) && !everywhere.includes(name),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  });

  test.each(Array.from({ length: 15 }, (_, index) => `I${index + 1}`))(
    "SPEC says of %s which files enforce it, which test it, and what neither covers",
    (invariant) => {
      const [, text = ""] = read("SPEC.md").split(`\n### ${invariant} `);
      const [, enforced = "", tested = "", gaps = ""] =
        /\n- \*\*Enforced by\*\*([\s\S]*?)\n- \*\*Tested by\*\*([\s\S]*?)\n- \*\*Gaps\*\*:([\s\S]*?)\n\n/.exec(text) ??
        [];
      expect(codesIn(enforced).filter((code) => /^shared\/.*\.ts$/.test(code)).length).toBeGreaterThan(0);
      expect(codesIn(tested).filter((code) => /^test\/.*\.ts$/.test(code)).length).toBeGreaterThan(0);
      expect(gaps.trim()).not.toBe("");
    },
  );

  test("the picture of the house draws the table of arrows: none that is not in it, and a way for each that is", () => {
    const [, table = ""] = /const arrows[^=]*= \{([\s\S]*?)\n\};/.exec(read("test/tidy.test.ts")) ?? [];
    const allowed = [...table.matchAll(/^ {2}(\w+): \[(.*)\],$/gm)].flatMap(([, from = "", others = ""]) =>
      [...others.matchAll(/"(\w+)"/g)].map(([, to = ""]) => ({ from, to })),
    );
    const drawn = [...read("docs/house.svg").matchAll(/data-from="(\w+)" data-to="(\w+)"/g)].map(
      ([, from = "", to = ""]) => ({ from, to }),
    );
    const isDrawn = (from: string, to: string): boolean =>
      drawn.some((arrow) => arrow.from === from && (arrow.to === to || isDrawn(arrow.to, to)));
    expect(allowed.length).toBeGreaterThan(30);
    for (const arrow of drawn) expect(allowed).toContainEqual(arrow);
    expect(allowed.filter(({ from, to }) => !isDrawn(from, to))).toEqual([]);
  });

  test("every test that SECURITY names exists, under that title", () => {
    const lines = read("SECURITY.md").split("\n");
    const named = lines.flatMap((line) => {
      // A title without a file of its own is of the file named last.
      let file = "";
      return [...line.matchAll(/`(test\/[\w/.]+\.ts)`|“([^”]+)”/g)].flatMap(([, path, title]) => {
        file = path ?? file;
        return title === undefined ? [] : [{ file, title }];
      });
    });
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(({ file, title }) => !existsSync(join(root, file)) || !read(file).includes(title))).toEqual([]);
  });
});

describe("the code", () => {
  test("every function that another file may import has a doc comment", () => {
    const bare = sources.flatMap(({ path, text }) =>
      [
        ...text.matchAll(
          /^export (?:async )?(?:function\*? ?(\w+)|const (\w+)[^=\n]* = (?:async )?(?:\(.*=>|\w+ =>))/gm,
        ),
      ]
        .filter(({ index }) => !text.slice(0, index).trimEnd().endsWith("*/"))
        // A trigger's handler is what its file is: what it does stands where it hands over to.
        .filter(([, , constant]) => !path.startsWith("functions") || constant !== "handler")
        .map(([, name, constant]) => `${path} ${name ?? constant}`),
    );
    expect(bare).toEqual([]);
  });

  /** Words of our own that gave way to standard terms. Names that others rely on stay: functions, columns. */
  const givenUp: Readonly<Record<string, RegExp>> = {
    action: /\bcare\b|\bcare[A-Z]|Care(?![a-z])/,
    "roster entry": /\bseat|[a-z]Seat|\bSeat/,
    "transaction group": /\bland(?:ing|ed)(?![a-z])|Landing/,
    "entry, batch or part": /freight|parcel/i,
    fake: /twin in memory|in-memory twin/i,
    "inject, distort": /\b(?:strikes?|struck|bends?|bent)(?![a-z])|\bBENDS\b/,
    "permanent fault": /\bcurse/i,
    counters: /walked/i,
    "attempt or step":
      /\b(?:an?|each|every|its|the|this|one|per|first|next|later) turns?\b(?! out| into)|#turn\b|\b(?:let|const) turn\b|turnsMax/i,
  };
  const kept = /\b(?:mailbox|roster)Care\b|["`.]walked\b|\bwalked:/g;

  test.each(Object.entries(givenUp))("says %s, and not what stood there before", (_, word) => {
    const found = ["shared", "functions", "local", "dashboard"].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(?:m?ts|html|css)$/.test(name))
        .flatMap((name) =>
          read(join(room, name))
            .split("\n")
            .flatMap((line, index) => (word.test(line.replace(kept, "")) ? [`${join(room, name)}:${index + 1}`] : [])),
        ),
    );
    expect(found).toEqual([]);
  });
});

test("a comment beside a command holds nothing that a shell would run: zsh, when it is pasted, takes no comments", () => {
  const commands = documents.flatMap((path) =>
    [...read(path).matchAll(/^ *```(?:bash|sh|powershell)?\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) =>
      block.split("\n").map((line) => `${path}: ${line}`),
    ),
  );
  expect(commands.length).toBeGreaterThan(100);
  expect(commands.filter((line) => /\s#.*(`|\$\()/.test(line))).toEqual([]);
});
