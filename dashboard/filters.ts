import { goTo, type hrefTo } from "./address.js";
import { el } from "./dom.js";

/** Filters of a list: a form whose fields stand in the address, so that a colleague sees the same. */

type Field = {
  /** As the address and the mirror's route call it. */
  readonly name: string;
  readonly label: string;
} & (
  | { readonly kind: "text"; readonly lengthMax: number }
  | { readonly kind: "choice"; readonly choices: readonly (readonly [value: string, label: string])[] }
  | { readonly kind: "time" }
);

type Href = (query: Readonly<Record<string, string>>) => ReturnType<typeof hrefTo>;

export type Filters = {
  readonly form: HTMLFormElement;
  /** What the address asks for; texts that a field cannot show are left out. */
  fill(query: URLSearchParams): void;
  /** What the fields say: empty values are any. */
  values(): Readonly<Record<string, string>>;
  /** What an address asks for, of what there are fields for. */
  asked(query: URLSearchParams): Readonly<Record<string, string>>;
};

export const yesNo = [
  ["true", "yes"],
  ["false", "no"],
] as const;

type Parts = {
  /** The form's id; begins the ids of its fields. */
  readonly prefix: string;
  readonly fields: readonly Field[];
  /** The address of the list with these values. */
  readonly hrefOf: Href;
  /** What its button says. */
  readonly submit: string;
  /** Asks the same once more. */
  readonly again: () => void;
};

/** Makes the form. What is chosen counts at once, what is typed with the button. */
export function filtersOf({ prefix, fields, hrefOf, submit, again }: Parts): Filters {
  const inputs = new Map(fields.map((field) => [field.name, inputOf(`${prefix}-${field.name}`, field)]));
  const values = () =>
    Object.fromEntries(fields.map(({ name, kind }) => [name, givenBy(inputs.get(name)?.value ?? "", kind)]));
  const form = el("form", {
    id: prefix,
    class: "search",
    role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      const href = hrefOf(values());
      if (href === location.hash) again();
      else goTo(href);
    },
  });
  for (const { name, label, kind } of fields) {
    const input = inputs.get(name);
    if (input === undefined) continue;
    if (kind !== "text") input.addEventListener("change", () => goTo(hrefOf(values())));
    form.append(el("span", { class: `field ${kind}` }, el("label", { for: input.id }, label), input));
  }
  form.append(el("button", { type: "submit" }, submit));
  const fill = (query: URLSearchParams) => {
    for (const { name, kind } of fields) {
      const input = inputs.get(name);
      if (input !== undefined && input !== document.activeElement) input.value = shownOf(query.get(name) ?? "", kind);
    }
  };
  const asked = (query: URLSearchParams) => {
    const given = fields.map(({ name }) => [name, query.get(name)?.trim() ?? ""] as const);
    return Object.fromEntries(given.filter(([, value]) => value !== ""));
  };
  return { form, fill, values, asked };
}

function inputOf(id: string, field: Field): HTMLInputElement | HTMLSelectElement {
  switch (field.kind) {
    case "text":
      return el("input", {
        id,
        type: "search",
        maxlength: field.lengthMax,
        autocomplete: "off",
        spellcheck: "false",
      });
    case "time":
      return el("input", { id, type: "datetime-local" });
    case "choice": {
      const any = el("option", { value: "" }, "any");
      return el("select", { id }, any, ...field.choices.map(([value, label]) => el("option", { value }, label)));
    }
  }
}

/** A time of the reader's zone as one of all zones, for the address; an empty text where there is none. */
function givenBy(shown: string, kind: Field["kind"]): string {
  if (kind !== "time") return shown.trim();
  const ms = Date.parse(shown);
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
}

function shownOf(value: string, kind: Field["kind"]): string {
  return kind === "time" ? localText(value) : value;
}

/** As `datetime-local` wants it: without a zone, which is the reader's. */
function localText(iso: string): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return "";
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
