import type { Status } from "../../shared/views/status.js";
import type { Purpose } from "../graph/accounts.js";
import type { Broken } from "../graph/broken.js";
import type { GraphStats } from "../graph/stats.js";
import type { DirectoryUser } from "../graph/users.js";

/** A mailbox for the roster. */
type NewMailbox = { readonly id: string; readonly displayName?: string | null };

/** The product as a user reaches it: by its HTTP functions and the host's manual runs. */
export type Product = {
  /** Starts discovery of the roster. */
  discover(): Promise<void>;
  status(): Promise<Status>;
  addMailboxes(mailboxes: readonly NewMailbox[], onAdded?: (added: number) => void): Promise<void>;
  /** Ends parking and waits of a mailbox. */
  release(mailboxId: string): Promise<void>;
  tick(): Promise<void>;
};

/** The product behind a host. Its functions throw an Error in one line when a request is refused. */
export function productAt(hostUrl: string): Product {
  return {
    discover: async () => {
      const response = await fetch(`${hostUrl}/api/roster/discover`, { method: "POST" });
      if (response.status !== 202) throw new Error(`Discovery was not started: ${await saidBy(response)}`);
      await response.arrayBuffer();
    },
    status: async () => {
      const response = await fetch(`${hostUrl}/api/status?ticks=1`);
      if (!response.ok) throw new Error(`The status cannot be read: ${await saidBy(response)}`);
      return (await response.json()) as Status;
    },
    addMailboxes: async (mailboxes, onAdded = () => undefined) => {
      let next = 0;
      let added = 0;
      const worker = async () => {
        for (let mailbox = mailboxes[next++]; mailbox !== undefined; mailbox = mailboxes[next++]) {
          const { id, displayName } = mailbox;
          const body = displayName == null ? "" : JSON.stringify({ displayName });
          const response = await fetch(`${hostUrl}/api/mailboxes/${encodeURIComponent(id)}`, { method: "PUT", body });
          if (!response.ok) throw new Error(`Mailbox ${id} was not taken: ${await saidBy(response)}`);
          await response.arrayBuffer();
          onAdded(++added);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    },
    release: async (mailboxId) => {
      const url = `${hostUrl}/api/mailboxes/${encodeURIComponent(mailboxId)}/release`;
      const response = await fetch(url, { method: "POST" });
      if (response.status !== 202) throw new Error(`${mailboxId} was not retried: ${await saidBy(response)}`);
      await response.arrayBuffer();
    },
    tick: async () => {
      const url = `${hostUrl}/admin/functions/startRounds`;
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: '{"input":""}' });
      if (response.status !== 202) throw new Error(`The tick was not taken: ${await saidBy(response)}`);
    },
  };
}

/** What a refusal says, in one line. */
export async function saidBy(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return `HTTP ${response.status} ${text.slice(0, 200)}`; // Not one of our answers: shown as it came.
  }
}

/** A mailbox as the simulator's control API shows it. */
export type SimulatedMailbox = {
  readonly id: string;
  readonly displayName: string;
  readonly purpose: Purpose;
  readonly user: DirectoryUser;
};

/** What an edit has changed. */
export type Edit = { readonly mailboxId: string; readonly calendarId: string };

/** What `npm start` asks of the Graph simulator. */
export type Simulator = {
  readonly url: string;
  mailboxes(): Promise<readonly NewMailbox[]>;
  requests(): Promise<{ readonly httpRequests: number; readonly pages: number; readonly fullRounds: number }>;
  /** What it is told to do wrong, in words; null: nothing. */
  broken(): Promise<string | null>;
  /** Changes a calendar of any mailbox as people do. */
  edit(): Promise<readonly Edit[]>;
  /** Gives the last calendar of a mailbox another name. */
  rename(mailboxId: string): Promise<readonly Edit[]>;
  /** The user shares a calendar: the simulated ones are shared by nobody. */
  share(mailboxId: string): Promise<readonly Edit[]>;
  /** What Graph has now, of `ofThousand` of each thousand mailboxes, with their calendars. */
  truth(
    ofThousand: number,
  ): AsyncIterable<SimulatedMailbox & { readonly calendars: readonly Record<string, unknown>[] }>;
};

const renamed = " (renamed)";

/** The simulator behind a URL, by its control API. */
export function simulatorAt(url: string): Simulator {
  const get = async (path: string) => (await fetch(`${url}/_control/${path}`)).json();
  const edit = async (body: object): Promise<readonly Edit[]> => {
    const response = await fetch(`${url}/_control/edits`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`The simulator refuses an edit: ${await saidBy(response)}`);
    return ((await response.json()) as { edits: readonly Edit[] }).edits;
  };
  async function* mailboxes<Row>(query: string, ofThousand = 1000) {
    for (let skip = 0, count = 1; skip < count; skip += 1000) {
      const page = (await get(`mailboxes?skip=${skip}&top=${ofThousand}${query}`)) as { count: number; value: Row[] };
      count = page.count;
      yield* page.value;
    }
  }
  return {
    url,
    mailboxes: async () => {
      const all: NewMailbox[] = [];
      for await (const { id, displayName } of mailboxes<SimulatedMailbox>("")) all.push({ id, displayName });
      return all;
    },
    requests: async () => {
      const stats = (await get("stats")) as Pick<GraphStats, "httpRequests" | "deltaPages" | "fullRounds">;
      return { httpRequests: stats.httpRequests, pages: stats.deltaPages, fullRounds: stats.fullRounds };
    },
    broken: async () => brokenText((await get("broken")) as Broken),
    edit: () => edit({ random: 1 }),
    rename: async (mailboxId) => {
      const { value } = (await get(`truth/${mailboxId}`)) as { value: { id: string; name: string }[] };
      const last = value.at(-1);
      if (last === undefined) return [];
      const name = last.name.endsWith(renamed) ? last.name.slice(0, -renamed.length) : `${last.name}${renamed}`;
      return edit({ edit: "rename", mailboxId, calendarId: last.id, name });
    },
    share: async (mailboxId) => {
      const { value } = (await get(`truth/${mailboxId}`)) as {
        value: { id: string; isShared?: boolean; isSharedWithMe?: boolean }[];
      };
      const own = value.findLast(({ isSharedWithMe }) => isSharedWithMe !== true);
      if (own === undefined || own.isShared === true) return []; // An earlier run has done it.
      return edit({ edit: "update", mailboxId, calendarId: own.id, values: { isShared: true } });
    },
    truth: (ofThousand) => mailboxes("&truth=1", ofThousand),
  };
}

/**
 * What is broken of a simulator, such as `2 mailboxes denied, fault serverError`; null: nothing.
 * @internal For tests.
 */
export function brokenText({ mailboxes, faults, withoutDelta, isMailboxSettingsGranted }: Broken): string | null {
  const counted = Object.entries(mailboxes).map(
    ([state, count]) => `${count} mailbox${count === 1 ? "" : "es"} ${state}`,
  );
  const all = [
    ...counted,
    ...Object.entries(faults).map(([kind, count]) => `fault ${kind}${count === 1 ? "" : ` (${count} rules)`}`),
    ...withoutDelta.map((version) => `no delta in ${version}`),
    ...(isMailboxSettingsGranted ? [] : ["no MailboxSettings.Read"]),
  ];
  return all.length === 0 ? null : all.join(", ");
}
