import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** How the two programs that deploy read `.funcignore`, by their own rules, which are not git's. */

type Files = { uploaded(root: string): string[] };

/**
 * Azure Functions Core Tools 4.14.0: src/Cli/func/Common/GitIgnoreParser.cs (`Accepts`) over the files of
 * src/Cli/func/Common/FileSystemHelpers.cs (`GetLocalFiles`). A line is the start of a path up to a word's boundary, `*` is
 * a piece of one name, `**` of a whole path, and everything else stands for itself. A path that any `!` matches goes along,
 * in whichever order. No line can match a path without a letter, digit or underscore of ASCII.
 * @param text Null: there is no `.funcignore`.
 */
export function readByFunc(text: string | null): Files & { leavesOut(path: string): boolean } {
  const lines = (text ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const regexOf = (some: readonly string[]): RegExp => {
    const parts = some.map((line) =>
      line
        .replace(/^\//, "")
        .replace(/[-[\]/{}()+?.\\^$|]/g, "\\$&")
        .replaceAll("**", "(.+)")
        .replaceAll("*", "([^\\/]+)"),
    );
    return parts.length === 0 ? /$^/ : new RegExp(`^((${parts.join(")|(")}))\\b`);
  };
  const kept = regexOf(lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1)));
  const dropped = regexOf(lines.filter((line) => !line.startsWith("!")));
  const leavesOut = (path: string) => !kept.test(path) && dropped.test(path);
  const folders = new Set([".git", ".vscode"]);
  const files = new Set([".funcignore", ".gitignore", "local.settings.json", "project.lock.json"]);
  const uploaded = (root: string) =>
    walked(root, (path, isFolder) => {
      const name = nameOf(path).toLowerCase();
      return isFolder ? !folders.has(name) : !files.has(name) && !leavesOut(path);
    });
  return { leavesOut, uploaded };
}

type Pattern = { readonly isNegated: boolean; matches(path: string, isFolder: boolean): boolean };

/**
 * Azure Developer CLI 1.31.2: cli/azd/pkg/project/project_utils.go (`createDeployableZip`), which asks
 * github.com/denormal/go-gitignore ae8ad1d07817 (pattern.go, gitignore.go `Relative`) about each file and folder on its way
 * down, and does not look into a folder that is left out. The last line that matches decides. Names that begin with a dot
 * are nothing special.
 */
export function readByAzd(text: string): Files & { leavesOut(path: string, isFolder: boolean): boolean } {
  const patterns = text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map(patternOf)
    .reverse();
  const leavesOut = (path: string, isFolder: boolean) => {
    const last = patterns.find((pattern) => pattern.matches(path, isFolder));
    return last !== undefined && !last.isNegated;
  };
  const uploaded = (root: string) =>
    walked(root, (path, isFolder) => {
      const name = nameOf(path);
      if (isFolder ? name === ".azure" : name === ".funcignore" || name === "local.settings.json") return false;
      return !leavesOut(path, isFolder);
    });
  return { leavesOut, uploaded };
}

function patternOf(line: string): Pattern {
  const isNegated = line.startsWith("!");
  const bare = isNegated ? line.slice(1) : line;
  const isAnchored = bare.startsWith("/");
  const isForFolders = bare.endsWith("/");
  const body = bare.replace(/^\//, "").replace(/\/$/, "");
  const matchesPath = (path: string): boolean => {
    if (body.includes("**")) return matchesParts(path.split("/"), body.split("/"));
    if (body.includes("/")) return fnmatch(body, path, true);
    return fnmatch(body, isAnchored ? path : nameOf(path), false);
  };
  return { isNegated, matches: (path, isFolder) => (!isForFolders || isFolder) && matchesPath(path) };
}

/** `**` stands for any number of names, none among them. */
function matchesParts(path: readonly string[], parts: readonly string[]): boolean {
  const [part] = parts;
  if (part === undefined) return path.length === 0;
  if (part === "**") {
    return matchesParts(path, parts.slice(1)) || (path.length > 0 && matchesParts(path.slice(1), parts));
  }
  const [name] = path;
  return name !== undefined && fnmatch(part, name, true) && matchesParts(path.slice(1), parts.slice(1));
}

/** github.com/danwakefield/fnmatch: `*`, `?` and classes; `*` stops at a slash only where names of a path are meant. */
function fnmatch(pattern: string, text: string, isPath: boolean): boolean {
  const source = pattern.replaceAll(/\[[^\]]+\]|[*?]|[.+^${}()|\\[\]]/g, (one) => {
    if (one.startsWith("[") && one.length > 1) return one.replace("[!", "[^");
    if (one === "*") return isPath ? "[^/]*" : "[^]*";
    return one === "?" ? (isPath ? "[^/]" : "[^]") : `\\${one}`;
  });
  return new RegExp(`^${source}$`).test(text);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function walked(root: string, isTaken: (path: string, isFolder: boolean) => boolean, below = ""): string[] {
  const found = readdirSync(join(root, below)).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    const isFolder = lstatSync(join(root, path)).isDirectory();
    if (!isTaken(path, isFolder)) return [];
    return isFolder ? walked(root, isTaken, path) : [path];
  });
  return found.sort();
}
