/** A line of the host's log, in its parts; those that it does not have are null. */
export type HostLine = {
  /** ISO 8601. */
  readonly time: string | null;
  readonly level: string | null;
  /** The function that has said it. */
  readonly function: string | null;
  readonly message: string;
};

/** Reads a line of the host stand-in, as its log writes it; all else, such as what Core Tools says, is a message. Null: it is empty. */
export function hostLineOf(line: string): HostLine | null {
  const [, time, level, source, message] = /^(\d{4}-\S+Z) (\w+) +(\w+): (.*)$/.exec(line) ?? [];
  const text = (message ?? line).trim();
  if (text === "") return null;
  const isFunction = source !== undefined && source !== "host";
  return { time: time ?? null, level: level ?? null, function: isFunction ? source : null, message: text };
}

/** The line for people. */
export function hostText({ level, function: source, message }: HostLine): string {
  if (level === null) return message;
  return source === null ? `${level}: ${message}` : `${level} in ${source}: ${message}`;
}
