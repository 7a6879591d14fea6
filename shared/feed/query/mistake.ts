/** Why a query option is refused: Graph's error code, and a sentence for people. */
export type QueryMistake = { readonly code: string; readonly mistake: string };

/** An option that holds names of properties. */
export type QueryOption = "$filter" | "$orderby" | "$select";

/** Thrown within this folder alone, and caught by `answering`: a recursive parser has no other short way out. */
export class RefusedQuery extends Error {
  constructor(readonly refusal: QueryMistake) {
    super(refusal.mistake);
  }
}

/** The value that `read` makes, or why the option is refused. */
export function answering<Value extends object>(read: () => Value): Value | QueryMistake {
  try {
    return read();
  } catch (error) {
    if (error instanceof RefusedQuery) return error.refusal;
    throw error;
  }
}

/**
 * A mistake in the URI itself. The words are those of Microsoft.OData.Core, which Graph hands on; the code is what Exchange
 * answers under: seen for messages and To Do until 2026 (github.com/wslyvh/paperweight/issues/1,
 * microsoftgraph/microsoft-graph-docs-contrib#8020). For mail folders and events newer answers have `BadRequest`, and name the
 * clause before the same words (mguessan/davmail#488, #518).
 */
export function unparsed(mistake: string): RefusedQuery {
  return new RefusedQuery({ code: "RequestBroker--ParseUri", mistake });
}

/**
 * OData that an option does not take. For `$filter` in the words of Exchange.
 * @see https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/523
 */
export function invalidNode(option: QueryOption, what: string, position: number): RefusedQuery {
  const where = `Not supported here: ${what}, at position ${position}.`;
  if (option !== "$filter") return new RefusedQuery({ code: "ErrorInvalidUrlQuery", mistake: `${option}: ${where}` });
  const mistake = `The query filter contains one or more invalid nodes. ${where}`;
  return new RefusedQuery({ code: "ErrorInvalidUrlQueryFilter", mistake });
}

/** An expression as a message may repeat it: our choice, its first 200 characters. */
export function quoted(text: string): string {
  return `'${text.length > 200 ? `${text.slice(0, 200)}…` : text}'`;
}
