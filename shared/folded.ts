/**
 * A text as it is compared: letters that differ only in case are alike, by Unicode's full mappings (`STRASSE` and `Straße`), and
 * so are letters with their marks apart or as one. Accents count. Upper case comes last: unlike lower case, it does not
 * depend on a letter's neighbours, and the order of ASCII is that of .NET's `OrdinalIgnoreCase`.
 *
 * OData leaves this to the service. Exchange finds a mail folder of another case by `displayName eq 'inbox'`.
 * @see https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/523
 */
export function folded(text: string): string {
  return text.toWellFormed().toLowerCase().toUpperCase().normalize("NFC");
}

/** `folded`, at once where a text comes again: one property may be compared with thousands of values. Holds all that it was given. */
export function foldedOnce(): typeof folded {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const now = folded(text);
    known.set(text, now);
    return now;
  };
}
