/**
 * The function key, kept by this browser until it is forgotten. An address that holds one loses it before anybody can copy
 * it: the history entry is replaced, not added to.
 */

/** The routes are beside this page, whatever its address; so is what is kept of them. */
export const base = new URL(".", location.href);
const storedAs = `key of ${base.pathname}`;

let key = fromAddress() ?? fromStorage();

/** The key that requests carry; null: none has been given. */
export function currentKey(): string | null {
  return key;
}

/** Sends this key from now on, also when the page is opened again. */
export function useKey(typed: string): void {
  key = typed.trim();
  keep();
}

/** Forgets the key, in this browser too. */
export function forgetKey(): void {
  key = null;
  withStorage((storage) => storage.removeItem(storedAs));
}

function fromAddress(): string | null {
  const address = new URL(location.href);
  const code = address.searchParams.get("code");
  if (code === null) return null;
  address.searchParams.delete("code");
  history.replaceState(history.state, "", address);
  withStorage((storage) => storage.setItem(storedAs, code));
  return code;
}

function fromStorage(): string | null {
  return withStorage((storage) => storage.getItem(storedAs));
}

function keep(): void {
  const kept = key;
  if (kept !== null) withStorage((storage) => storage.setItem(storedAs, kept));
}

/** Null where the browser keeps nothing for pages, as some are set to: the key then lasts as long as the page. */
function withStorage<Kept>(use: (storage: Storage) => Kept): Kept | null {
  try {
    return use(localStorage);
  } catch {
    return null; // A SecurityError, or no room left.
  }
}
