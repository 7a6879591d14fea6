/**
 * Marks: which calendars a full round has seen and left as they are, by the sequences of their rows. No two rows of a mailbox
 * have one sequence, and a row that changes takes a new one, so a mark means one calendar in one state for good. As text, in
 * order, `1-25,27`: calendars that came together take one range.
 */

type Range = { readonly first: number; readonly last: number };

/** Marks with more of them. @returns Null: that would take more than `charsMax` characters. */
export function withMarks(marks: string | null, sequences: readonly number[], charsMax: number): string | null {
  const singles = sequences.map((sequence): Range => ({ first: sequence, last: sequence }));
  const all = [...rangesOf(marks), ...singles];
  all.sort((one, other) => one.first - other.first);
  const joined: Range[] = [];
  for (const range of all) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1) joined.push(range);
    else joined[joined.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  const text = joined.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join();
  return text.length <= charsMax ? text : null;
}

/** Whether a row with a sequence is marked. */
export function isMarkedBy(marks: string | null): (sequence: number) => boolean {
  const ranges = rangesOf(marks);
  return (sequence) => ranges.some(({ first, last }) => first <= sequence && sequence <= last);
}

/** Whether a text holds marks and nothing else. */
export function areMarks(text: string): boolean {
  return rangesIn(text) !== null;
}

/** @throws Error rather than guess: without its mark a calendar is removed (I3). */
function rangesOf(marks: string | null): readonly Range[] {
  const ranges = marks === null ? [] : rangesIn(marks);
  if (ranges === null) throw new Error("Marks that cannot be read.");
  return ranges;
}

function rangesIn(text: string): readonly Range[] | null {
  const ranges: Range[] = [];
  for (const part of text.split(",")) {
    const [, one = "", other = one] = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(part) ?? [];
    const range = { first: Number(one), last: Number(other) };
    const isRange = one !== "" && range.first <= range.last && Number.isSafeInteger(range.last);
    if (!isRange || range.first <= (ranges.at(-1)?.last ?? -1)) return null;
    ranges.push(range);
  }
  return ranges;
}
