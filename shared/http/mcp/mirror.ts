import { HttpRequest } from "@azure/functions";
import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { readOldestSuccess } from "../../views/findCalendars.js";
import type { MirrorFacts } from "../../views/status.js";
import { calendarFindRoute } from "../calendarFind.js";
import { type Answer, type AnswerAlone, answer, type HttpPorts, type Route } from "../handler.js";
import { historyRoute, mailboxHistoryRoute } from "../history.js";
import { mailboxCalendarsRoute } from "../mailboxCalendars.js";
import { mailboxRoute } from "../mailboxes.js";
import { mailboxListRoute } from "../mailboxList.js";
import type { ErrorBody } from "../openapi/parts.js";
import { statusRoute } from "../status.js";

/** The routes that tools ask, as operators do: same reads, same limits, same refusals. One set serves a process. */
export function routesOf(facts: MirrorFacts) {
  return {
    calendars: calendarFindRoute(facts.shards),
    history: historyRoute(facts.shards),
    mailboxes: mailboxListRoute(facts.shards),
    status: statusRoute(facts),
    mailbox: mailboxRoute,
    mailboxCalendars: mailboxCalendarsRoute,
    mailboxHistory: mailboxHistoryRoute,
    oldestSuccess: async (_request, { store }) => answer(200, { at: await readOldestSuccess(store, facts.shards) }),
  } satisfies Record<string, Route>;
}
type Routes = ReturnType<typeof routesOf>;

/** Query options; those that are absent do not matter. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Why a tool has no answer, and what to do, for the assistant to read. */
export class ToolRefusal extends Error {}

/** The mirror as tools see it, for one message. */
export class Mirror {
  constructor(
    private readonly routes: Routes,
    private readonly url: string,
    private readonly clock: Pick<HttpPorts, "nowMs">,
    private readonly alone: AnswerAlone,
  ) {}

  get nowMs(): number {
    return this.clock.nowMs();
  }

  /**
   * What a route answers to GET. `Body`: the type of its 200. @param mailbox By id or name, for routes that take one.
   * @throws ToolRefusal where it refuses.
   */
  async get<Body>(route: keyof Routes, query: Query = {}, mailbox?: string): Promise<Body> {
    const body = await this.getOrNull<Body>(route, query, mailbox);
    if (body === null) throw new ToolRefusal(unknownMailbox);
    return body;
  }

  /** The same; null where there is no such mailbox. @throws ToolRefusal where it refuses in another way. */
  async getOrNull<Body>(route: keyof Routes, query: Query, mailbox?: string): Promise<Body | null> {
    const { status, jsonBody } = await this.#answer(route, query, mailbox);
    if (status === 200) return jsonBody as Body;
    if (status === 404) return null;
    const { message } = (jsonBody as ErrorBody).error;
    throw new ToolRefusal(status < 500 ? message : `${message} Try again in a minute.`);
  }

  #answer(route: keyof Routes, query: Query, mailbox?: string): Promise<Answer> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const url = new URL(this.url);
    url.search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
    const params = mailbox === undefined ? {} : { params: { id: mailbox } };
    return this.alone(this.routes[route], new HttpRequest({ method: "GET", url: url.href, ...params }));
  }

  /** When Graph last answered for the mailbox that is the furthest behind of all. @throws ToolRefusal */
  async oldestSuccess(): Promise<string | null> {
    return (await this.get<{ readonly at: string | null }>("oldestSuccess")).at;
  }
}

const unknownMailbox =
  "No mailbox of the mirror goes by this id or userPrincipalName. find_mailboxes finds them by name, address or id.";

/** What a tool is. It only reads: whatever it is asked, nothing changes. */
type Tool<Input extends z.ZodObject, Output extends z.ZodObject> = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** @throws ToolRefusal */
  readonly answer: (asked: z.output<Input>, mirror: Mirror) => Promise<z.output<Output>>;
};

/** Registers a tool for one message. @param onSurprise Is told what the tool did not expect; the caller learns only that. */
export type Registration = (server: McpServer, mirror: Mirror, onSurprise: (error: unknown) => void) => void;

const annotations = { readOnlyHint: true, openWorldHint: false } as const;

/**
 * Makes a tool that can be registered. Its answers come as structured content, and as the same JSON in a text. What it throws is
 * caught here: the package would tell the client the text of the error, and nobody else (findings/mcp-server-hides-tool-failures.sh).
 */
export function toolOf<Input extends z.ZodObject, Output extends z.ZodObject>(tool: Tool<Input, Output>): Registration {
  const { name, title, description, input, output } = tool;
  return (server, mirror, onSurprise) => {
    const config = { title, description, inputSchema: input, outputSchema: output, annotations };
    const answered = async (asked: z.output<Input>) => {
      try {
        const told = await tool.answer(asked, mirror);
        return { structuredContent: told, content: [{ type: "text" as const, text: JSON.stringify(told) }] };
      } catch (error) {
        if (!(error instanceof ToolRefusal)) onSurprise(error);
        const text = error instanceof ToolRefusal ? error.message : "The mirror has failed. Its log says why.";
        return { isError: true, content: [{ type: "text" as const, text }] };
      }
    };
    server.registerTool(name, config, answered as never);
  };
}

/** Our choice: the characters of an answer as JSON, which an assistant reads at once. It is sent twice, as such and as text. */
const answerCharsMax = 16_000;

/**
 * A page that fits an answer: where what `ask` gives for `top` is too long, fewer are asked for, down to one.
 * @param ask Gives a page of so many items at most, from the same place each time.
 */
export async function fitting<Page>(top: number, ask: (top: number) => Promise<Page>): Promise<Page> {
  const page = await ask(top);
  const { length } = JSON.stringify(page);
  if (length <= answerCharsMax || top === 1) return page;
  return fitting(Math.max(1, Math.floor((top * answerCharsMax) / length) - 1), ask);
}

/** How many items a tool gives at once. Our choice. */
export const top = z.int().min(1).max(25).default(10).describe("How many at most.");
export const cursor = z
  .string()
  .max(32_768)
  .optional()
  .describe("The cursor of the answer before, unchanged, with the same other arguments.");
export const nextCursor = z
  .string()
  .nullable()
  .describe("Call again with it for more; null: that was all. An answer may hold few or none and still have one.");
export const mailbox = z
  .string()
  .min(1)
  .max(320)
  .describe("The mailbox: the object id of its user (surest), or the userPrincipalName.");
