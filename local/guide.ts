/** Lines of the operators' guide, as the dashboard shows them: what each reason and each code means, and what to do. */
export type GuideLine = {
  readonly heading: string;
  /** What people say, of a line that explains a word; null of all others. */
  readonly word: string | null;
  /** What stands in backticks in the cells before the last. */
  readonly codes: readonly string[];
  readonly text: string;
};

const headings = ["Words", "What each state means", "Parked reasons", "Other codes"];

/** The lines of those tables of `docs/operations.md` that are about words, states, reasons and codes. @throws Error where one is missing */
export function guideOf(markdown: string): readonly GuideLine[] {
  return headings.flatMap((heading) => {
    const [, after] = markdown.split(`\n## ${heading}\n`);
    if (after === undefined) throw new Error(`The guide lacks the section ${heading}.`);
    const rows = (after.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| "));
    return rows.slice(1).map((row) => lineOf(heading, row));
  });
}

function lineOf(heading: string, row: string): GuideLine {
  const cells = row.split(/(?<!\\)\|/).slice(1, -1);
  if (heading === "Words") return { heading, word: plain(cells[0] ?? ""), codes: [], text: plain(cells.at(-1) ?? "") };
  const codes = [
    ...cells
      .slice(0, -1)
      .join(" ")
      .matchAll(/`([^`]+)`/g),
  ].map(([, code = ""]) => code);
  return {
    heading,
    word: null,
    codes,
    text: plain(heading === "What each state means" ? cells.slice(1).join(" – ") : (cells.at(-1) ?? "")),
  };
}

/** Without marks: links keep their text. */
function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
