import { HostError } from "./hostError.js";

/** A parsed route template. */
export type Route = {
  readonly template: string;
  /** The parameters when the path fits, else null. `path` is as on the wire, still encoded, without the query. */
  match(path: string): Record<string, string> | null;
};

type Constraint = (value: string) => boolean;
type Parameter = {
  readonly name: string;
  readonly isOptional: boolean;
  readonly isCatchAll: boolean;
  readonly fallback: string | undefined;
  readonly constraints: readonly Constraint[];
};
type Part = string | Parameter;

/**
 * Reads an ASP.NET Core route template: literals regardless of letter case, `{id}`, `{id?}`, `{id=5}`, `{id:int:min(1)}`,
 * `{*rest}`, and segments that mix literals and parameters, such as `calendars('{id}')`.
 * @throws HostError when the template is not valid, or begins with `admin` or `runtime`.
 */
export function parseRoute(route: string, prefix: string): Route {
  const trimmed = route.replace(/^\/+|\/+$/g, "");
  if (/^(?:admin|runtime)/i.test(trimmed)) {
    throw new HostError(`The specified route conflicts with one or more built in routes: '${route}'`);
  }
  const template = [prefix, trimmed].filter((part) => part !== "").join("/");
  const segments = splitOutsideBraces(template).map(parseSegment);
  for (const [index, parts] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (parts.some((part) => typeof part !== "string" && part.isCatchAll) && !(isLast && parts.length === 1)) {
      throw new HostError(`A catch-all parameter must be the last segment of the route: '${route}'`);
    }
  }
  return { template, match: (path) => matchSegments(segments, path) };
}

function splitOutsideBraces(template: string): string[] {
  if (template === "") return [];
  const segments = [""];
  let depth = 0;
  for (const character of template) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += character;
  }
  return segments;
}

function parseSegment(segment: string): Part[] {
  const parts: Part[] = [];
  let rest = segment;
  while (rest !== "") {
    const open = rest.indexOf("{");
    if (open !== 0) {
      const literal = open === -1 ? rest : rest.slice(0, open);
      if (/[}*?]/.test(literal)) throw new HostError(`'${segment}' is not a valid route segment`);
      parts.push(literal);
      rest = rest.slice(literal.length);
      continue;
    }
    const end = closingBrace(rest);
    if (end === -1) throw new HostError(`'${segment}' is not a valid route segment`);
    parts.push(parseParameter(rest.slice(1, end)));
    rest = rest.slice(end + 1);
  }
  return parts;
}

/** Doubled braces stand for themselves: they occur in regular expressions. */
function closingBrace(text: string): number {
  for (let index = 1; index < text.length; index++) {
    const pair = text.slice(index, index + 2);
    if (pair === "{{" || (pair === "}}" && text.indexOf("{{") !== -1 && text.indexOf("{{") < index)) index += 1;
    else if (text[index] === "}") return index;
  }
  return -1;
}

function parseParameter(text: string): Parameter {
  const match = /^(\*{0,2})([^:=?*]+)((?::[^:=?(]+(?:\((?:.*?)\)(?=[:=?]|$))?)*)(\?|=.*)?$/s.exec(text);
  if (match === null) throw new HostError(`'{${text}}' is not a valid route parameter`);
  const [, stars = "", name = "", constraintText = "", tail = ""] = match;
  const constraints = [...constraintText.matchAll(/:([^:=?(]+)(?:\((.*?)\)(?=[:=?]|$))?/gs)].map(
    ([, kind = "", args]) => createConstraint(kind, args?.replaceAll("{{", "{").replaceAll("}}", "}") ?? ""),
  );
  return {
    name,
    isOptional: tail === "?",
    isCatchAll: stars !== "",
    fallback: tail.startsWith("=") ? tail.slice(1) : undefined,
    constraints,
  };
}

function createConstraint(kind: string, args: string): Constraint {
  const [first = Number.NaN, second = Number.NaN] = args.split(",").map(Number);
  const matches = (pattern: RegExp) => (value: string) => pattern.test(value);
  switch (kind.toLowerCase()) {
    case "int":
      return (value) => /^[+-]?\d{1,10}$/.test(value) && Math.abs(Number(value)) <= 2 ** 31 - 1;
    case "long":
      return matches(/^[+-]?\d{1,19}$/);
    case "bool":
      return matches(/^(?:true|false)$/i);
    case "decimal":
    case "double":
    case "float":
      return matches(/^[+-]?\d+(?:\.\d+)?$/);
    case "guid":
      return matches(/^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i);
    case "datetime":
      return (value) => !Number.isNaN(Date.parse(value));
    case "alpha":
      return matches(/^[a-z]*$/i);
    case "required":
      return (value) => value !== "";
    case "length":
      return (value) => value.length >= first && value.length <= (args.includes(",") ? second : first);
    case "minlength":
      return (value) => value.length >= first;
    case "maxlength":
      return (value) => value.length <= first;
    case "min":
      return (value) => Number(value) >= first;
    case "max":
      return (value) => Number(value) <= first;
    case "range":
      return (value) => Number(value) >= first && Number(value) <= second;
    case "regex":
      return matches(new RegExp(args, "i"));
    default:
      throw new HostError(`the route constraint '${kind}' is not known`);
  }
}

/** Decodes all but %2F: Kestrel leaves the slash encoded, so it never splits a segment. */
function decodeSegment(text: string): string {
  try {
    return text
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decodeURIComponent(part)))
      .join("");
  } catch {
    return text; // Not valid percent encoding: taken literally.
  }
}

function matchSegments(segments: readonly Part[][], path: string): Record<string, string> | null {
  const given = path.replace(/^\//, "").replace(/\/$/, "");
  const values = given === "" ? [] : given.split("/").map(decodeSegment);
  const params: Record<string, string> = {};
  for (const [index, parts] of segments.entries()) {
    const [only] = parts;
    if (parts.length === 1 && typeof only === "object") {
      const value = only.isCatchAll ? values.slice(index).join("/") || undefined : values[index];
      if (!takeParameter(only, value, params)) return null;
      if (only.isCatchAll) return params;
    } else if (values[index] === undefined || !matchParts(parts, values[index], params)) return null;
  }
  return values.length > segments.length ? null : params;
}

function takeParameter(parameter: Parameter, given: string | undefined, params: Record<string, string>): boolean {
  const value = given ?? parameter.fallback;
  if (value === undefined) return parameter.isOptional || parameter.isCatchAll;
  if (value === "" || !parameter.constraints.every((isMet) => isMet(value))) return false;
  params[parameter.name] = value;
  return true;
}

function matchParts(parts: readonly Part[], value: string, params: Record<string, string>): boolean {
  const source = parts.map((part) => (typeof part === "string" ? escapeRegExp(part) : "(.+?)")).join("");
  const found = new RegExp(`^${source}$`, "is").exec(value);
  if (found === null) return false;
  const parameters = parts.filter((part) => typeof part !== "string");
  return parameters.every((parameter, index) => takeParameter(parameter, found[index + 1], params));
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
