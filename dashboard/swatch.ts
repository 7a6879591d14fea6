import { el } from "./dom.js";

/** Outlook's colours by name. */
const colours: Readonly<Record<string, string>> = {
  lightBlue: "#a6d1f5",
  lightGreen: "#87d28e",
  lightOrange: "#fcab73",
  lightGray: "#c0c0c0",
  lightYellow: "#f2d46b",
  lightTeal: "#4adacc",
  lightPink: "#e8a3d2",
  lightBrown: "#bba98a",
  lightRed: "#f88c9b",
  maxColor: "#a6d1f5",
};

type Coloured = { readonly hexColor: string | null; readonly color: string | null };

/** A calendar's own colour, if what it says is one: anything else is drawn neutral. */
export function swatchOf({ hexColor, color }: Coloured): HTMLElement {
  const own = /^#[0-9a-f]{6}$/i.test(hexColor ?? "") ? hexColor : null;
  const named = color !== null && Object.hasOwn(colours, color) ? (colours[color] ?? null) : null;
  const element = el("span", { class: "swatch", "aria-hidden": "true" });
  const colour = own ?? named;
  if (colour !== null) element.style.backgroundColor = colour;
  return element;
}
