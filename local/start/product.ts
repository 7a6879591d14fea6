/** The product as a user reaches it: by its HTTP functions and the host's manual runs. */
export type Product = {
  addMailboxes(ids: readonly string[], onAdded: (added: number) => void): Promise<void>;
  tick(): Promise<void>;
};

export function productAt(hostUrl: string): Product {
  return {
    addMailboxes: async (ids, onAdded) => {
      let next = 0;
      let added = 0;
      const worker = async () => {
        for (let id = ids[next++]; id !== undefined; id = ids[next++]) {
          const response = await fetch(`${hostUrl}/api/mailboxes/${encodeURIComponent(id)}`, { method: "PUT" });
          if (!response.ok) throw new Error(`Mailbox ${id} was not taken: ${await saidBy(response)}`);
          await response.arrayBuffer();
          onAdded(++added);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    },
    tick: async () => {
      const url = `${hostUrl}/admin/functions/startRounds`;
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: '{"input":""}' });
      if (response.status !== 202) throw new Error(`The tick was not taken: ${await saidBy(response)}`);
    },
  };
}

async function saidBy(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return `HTTP ${response.status} ${text.slice(0, 200)}`; // Not one of our answers: shown as it came.
  }
}

/** What a simulator knows and does, by its control API. */
export type Simulator = {
  mailboxIds(): Promise<readonly string[]>;
  requests(): Promise<{ readonly httpRequests: number; readonly pages: number }>;
  edit(): Promise<void>;
  /** Every mailbox's calendars as Graph has them now. */
  truth(): AsyncIterable<{ readonly id: string; readonly calendars: readonly Record<string, unknown>[] }>;
};

export function simulatorAt(url: string): Simulator {
  const get = async (path: string) => (await fetch(`${url}/_control/${path}`)).json();
  async function* mailboxes(query: string) {
    for (let skip = 0; ; skip += 1000) {
      const page = (await get(`mailboxes?skip=${skip}&top=1000${query}`)) as {
        value: { id: string; calendars?: [] }[];
      };
      yield* page.value;
      if (page.value.length < 1000) return;
    }
  }
  return {
    mailboxIds: async () => {
      const ids: string[] = [];
      for await (const { id } of mailboxes("")) ids.push(id);
      return ids;
    },
    requests: async () => {
      const stats = (await get("stats")) as { httpRequests: number; deltaPages: number };
      return { httpRequests: stats.httpRequests, pages: stats.deltaPages };
    },
    edit: async () => {
      await fetch(`${url}/_control/edits`, { method: "POST", body: '{"random":1}' });
    },
    async *truth() {
      for await (const { id, calendars = [] } of mailboxes("&truth=1")) yield { id, calendars };
    },
  };
}
