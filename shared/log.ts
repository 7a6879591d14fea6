/** Where the mirror says what it did. Fields never hold tokens, links, bodies or calendar names. */
export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** One line of text: the message, then `name=value` for each field. */
function logLine(message: string, fields: Parameters<Log>[2] = {}): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : value}`,
  );
  return [message, ...parts].join(" ");
}

/** Bare where it is plain; else as JSON, so that nothing that came from outside can fake a second line. */
function quoted(value: string): string {
  return /^[\w.:@+-]+$/.test(value) ? value : JSON.stringify(value);
}

/** The log of one invocation: the host gives each of its levels a method. */
export function logOf(context: { info(text: string): void; warn(text: string): void; error(text: string): void }): Log {
  return (level, message, fields) => context[level](logLine(message, fields));
}
