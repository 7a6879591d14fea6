/**
 * The forms of a TimeSpan, in the order in which .NET tries them: the first that fits counts. So `23:00:00` is 23 hours, and
 * `24:00:00`, which cannot be hours, is 24 **days**, as a bare `24` is. `test/schedule/timespan.tsv` holds .NET's own results.
 * @see https://learn.microsoft.com/dotnet/api/system.timespan.parse
 */
const ways = [
  /^(?<days>\d+)$/,
  /^(?<hours>\d+):(?<minutes>\d+)$/,
  /^(?<hours>\d+):(?<minutes>\d+):(?<seconds>\d+|(?=\.))(?:\.(?<fraction>\d+))?$/,
  /^(?<days>\d+)[.:](?<hours>\d+):(?<minutes>\d+)$/,
  /^(?<days>\d+)[.:](?<hours>\d+):(?<minutes>\d+):(?<seconds>\d+|(?=\.))(?:\.(?<fraction>\d+))?$/,
];

const ticksPerSecond = 10_000_000n; // Of 100 ns.
const ticksMax = 2n ** 63n - 1n;
const numberMax = 2 ** 28 - 1; // Of one number within the text.
const blanks = /^(?:[^\S\ufeff]|\u0085)+|(?:[^\S\ufeff]|\u0085)+$/g; // As .NET counts them.

/**
 * Milliseconds of a .NET TimeSpan text, such as `00:00:02` or `1.12:00:00`; they may be negative.
 * @returns null when .NET refuses the text.
 */
export function readTimeSpan(text: string): number | null {
  const [, sign, body = ""] = /^(-?)(.*)$/s.exec(text.replace(blanks, "")) ?? [];
  for (const way of ways) {
    const parts = way.exec(body)?.groups;
    const ticks = parts === undefined ? null : ticksOf(parts);
    if (ticks === null) continue;
    if (ticks > ticksMax + (sign === "-" ? 1n : 0n)) return null;
    return (Number(ticks) / 10_000) * (sign === "-" && ticks > 0n ? -1 : 1);
  }
  return null;
}

function ticksOf(parts: Record<string, string | undefined>): bigint | null {
  const [days, hours, minutes, seconds] = [parts["days"], parts["hours"], parts["minutes"], parts["seconds"]].map(
    (part) => Number(part ?? 0),
  ) as [number, number, number, number];
  const fraction = fractionTicks(parts["fraction"] ?? "");
  if (days > numberMax || hours > 23 || minutes > 59 || seconds > 59 || fraction === null) return null;
  return BigInt(((days * 24 + hours) * 60 + minutes) * 60 + seconds) * ticksPerSecond + BigInt(fraction);
}

/** Seven digits count, and more are rounded, though only behind a zero: .NET refuses `.12345678`. */
function fractionTicks(digits: string): number | null {
  const value = Number(digits);
  if (value > numberMax || (!digits.startsWith("0") && digits.length > 7)) return null;
  return Math.round(Number(`${value}e${7 - digits.length}`));
}
