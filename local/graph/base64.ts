/** Base64 for the short texts that ids and tokens are made of, on the hottest path of the simulator. */
const URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const NO_VALUE = 255;
const URL_VALUES = new Uint8Array(128).fill(NO_VALUE);
for (let value = 0; value < URL_ALPHABET.length; value++) URL_VALUES[URL_ALPHABET.charCodeAt(value)] = value;

/** Both encode six bits in a letter; they differ in two of them. */
export type Alphabet = "url" | "standard";

/** `count` letters, up to six, for the lowest `6 * count` bits of a number up to 32 bits, highest first. */
export function lettersOf(value: number, count: number, alphabet: Alphabet = "url"): string {
  const letters = alphabet === "url" ? URL_ALPHABET : STANDARD_ALPHABET;
  let text = "";
  for (let shift = (count - 1) * 6; shift >= 0; shift -= 6) text += letters[(value >>> shift) & 63];
  return text;
}

/** The number that letters of `lettersOf` stand for; NaN for anything else. */
export function numberOf(letters: string): number {
  let value = 0;
  for (let at = 0; at < letters.length; at++) {
    const bits = URL_VALUES[letters.charCodeAt(at)] ?? NO_VALUE;
    if (bits === NO_VALUE) return Number.NaN;
    value = value * 64 + bits;
  }
  return value;
}
