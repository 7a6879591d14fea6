/** What the page's modules find in a browser as they are loaded. Import it before them. */

const kept = new Map<string, string>();
/** What the browser keeps for the page. */
export const storage = {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => void kept.set(name, value),
  removeItem: (name: string) => void kept.delete(name),
};

/** What the address bar shows. */
export const bar = { href: "https://mirror.example/api/dashboard?code=s3cret#/mailboxes?state=parked" };

Object.assign(globalThis, {
  location: bar,
  localStorage: storage,
  history: {
    state: null,
    replaceState: (_state: unknown, _title: string, address: URL) => {
      bar.href = String(address);
    },
  },
});
