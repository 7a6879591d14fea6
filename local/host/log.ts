import type { LogCategory, LogLevel } from "./types.js";

const LEVELS: readonly LogLevel[] = ["trace", "debug", "information", "warning", "error", "critical", "none"];

type Outcome = "succeeded" | "failed";
/** What started an invocation. */
export type InvocationCause = "timer" | "queue" | "http" | "manual";

/** Events for a program that follows the host: one JSON object per line with `--events`. */
export type HostEvent =
  | {
      readonly event: "ready";
      readonly url: string;
      readonly functions: readonly { readonly name: string; readonly trigger: string; readonly route?: string }[];
      /** Functions that cannot run, as the host's "is in error" lines. */
      readonly errors: readonly { readonly function: string; readonly message: string }[];
    }
  | {
      readonly event: "invocation";
      readonly function: string;
      readonly invocationId: string;
      readonly cause: InvocationCause;
      readonly outcome: Outcome;
      readonly ms: number;
      readonly error?: string;
    }
  | {
      readonly event: "log";
      readonly time: string;
      readonly level: LogLevel;
      readonly category: LogCategory;
      readonly function: string | null;
      readonly message: string;
    }
  | {
      readonly event: "poison";
      readonly function: string;
      readonly queue: string;
      readonly poisonQueue: string;
      readonly messageId: string;
      readonly dequeueCount: number;
      readonly reason: "failed" | "dequeueCount" | "undecodable";
    }
  | { readonly event: "stopped" };

/** Writes one entry of the log. `functionName`: null for the host itself. */
export type Log = (level: LogLevel, functionName: string | null, message: string, category?: LogCategory) => void;

/** The two outputs of the host. */
export type Reporter = { readonly log: Log; readonly emit: (event: HostEvent) => void };

/** Where the outputs go. */
export type ReporterOptions = {
  readonly level: LogLevel;
  /** Takes one line for people, without its line end. */
  readonly writeLine: (line: string) => void;
  readonly emit: (event: HostEvent) => void;
};

/** Is this a level's name? */
export function isLogLevel(text: string): text is LogLevel {
  return (LEVELS as readonly string[]).includes(text);
}

/** Joins the two outputs of the host: lines for people, events for programs. Both pass the level filter. */
export function createReporter({ level, writeLine, emit }: ReporterOptions): Reporter {
  const levelMin = LEVELS.indexOf(level);
  return {
    emit,
    log(lineLevel, functionName, message, category = "system") {
      if (LEVELS.indexOf(lineLevel) < levelMin) return;
      const time = new Date().toISOString();
      const oneLine = message.replaceAll(/\r?\n/g, " | "); // A stack stays readable, and grep finds whole entries.
      writeLine(`${time} ${lineLevel.padEnd(11)} ${functionName ?? "host"}: ${oneLine}`);
      emit({ event: "log", time, level: lineLevel, category, function: functionName, message });
    },
  };
}
