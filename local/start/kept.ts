import { join } from "node:path";

/** What outlives a run: values of JSON, by name. */
export type Kept = {
  /** Undefined: it was never set. */
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  close(): void;
};

/** Kept for this run alone. */
export function keptInMemory(): Kept {
  const values = new Map<string, unknown>();
  return {
    get: (name) => values.get(name),
    set: (name, value) => void values.set(name, value),
    close: () => values.clear(),
  };
}

/** SQLite's codes. @see https://www.sqlite.org/rescode.html */
const busy = 5;
const notADatabase = 26;

/** Node 22 writes to stderr that SQLite is experimental. Nothing else can warn meanwhile. */
function sqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Kept in a folder that is there, which is ours until it is closed, or our process ends, in whatever way: SQLite locks the file.
 * @throws Error in one line when another process has the folder, or the file is none of ours.
 */
export function keptIn(dir: string): Kept {
  const { DatabaseSync } = sqlite();
  const file = join(dir, "start.db");
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    db.exec("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, json TEXT NOT NULL); COMMIT");
  } catch (error) {
    db.close();
    const { errcode } = error as { readonly errcode?: number };
    if (errcode === busy) {
      throw new Error(`--data ${dir} is in use by another npm start. End that one first, or name another folder.`);
    }
    if (errcode === notADatabase) throw new Error(`${file} is not a file of npm start. Name another folder by --data.`);
    throw error;
  }
  const read = db.prepare("SELECT json FROM kept WHERE name = ?");
  const write = db.prepare("INSERT OR REPLACE INTO kept VALUES (?, ?)");
  return {
    get: (name) => {
      const row = read.get(name);
      return row === undefined ? undefined : JSON.parse(String(row["json"]));
    },
    set: (name, value) => void write.run(name, JSON.stringify(value)),
    close: () => db.close(),
  };
}
