type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void) | null>>;

/**
 * Makes an element. Text stays text: nothing here reads HTML, so nothing that a mailbox owner typed can become any.
 * `on…` attributes are listeners; false and null leave an attribute out.
 */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.replace(/^on/, ""), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** An element of the page. @throws Error where the page has no such id */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page lacks #${id}.`);
  return element as Kind;
}

/** Replaces the contents. The focus stays on the element with the same id, so that a refresh takes it from nobody. */
export function show(container: HTMLElement, ...children: readonly Child[]): void {
  const { activeElement } = document;
  const focused = activeElement !== null && container.contains(activeElement) ? activeElement.id : "";
  container.replaceChildren(...children.filter((child) => child !== null));
  if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Calls once the dialog has closed. The event comes late: one that finds the dialog open again is of the closing before. */
export function onceClosed(dialog: HTMLDialogElement, then: () => void): void {
  const onClose = () => {
    if (dialog.open) return;
    dialog.removeEventListener("close", onClose);
    then();
  };
  dialog.addEventListener("close", onClose);
}

/**
 * Opens a dialog. When it closes, the focus goes back to where it was: by id, as that element may have been replaced.
 */
export function openModal(dialog: HTMLDialogElement): void {
  const opener = document.activeElement?.id ?? "";
  onceClosed(dialog, () => {
    if (document.activeElement === document.body && opener !== "") document.getElementById(opener)?.focus();
  });
  dialog.showModal();
}

/** Draws only when the value has changed since the last call. */
export function changeOnly<Value>(draw: (value: Value) => void): (value: Value) => void {
  let last = "";
  return (value) => {
    const text = JSON.stringify(value);
    if (text === last) return;
    draw(value);
    last = text;
  };
}

/** Not every browser has it. */
declare const scheduler: { yield?(): Promise<void> } | undefined;

/** Lets the browser draw and take what the viewer does, between two pieces of work. */
export function nextTask(): Promise<void> {
  if (typeof scheduler !== "undefined" && scheduler.yield !== undefined) return scheduler.yield();
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
