import { scatter } from "./random.js";

/** Of the sample on the API page: 107 letters of base64url stand for 80 bytes, 43 for 32. */
const PAYLOAD_BYTES_MIN = 80;
const SIGNATURE_BYTES = 32;

/** Turns a payload into an opaque token and back. */
export type Sealer = {
  /** `payload`: printable ASCII, without a blank at its end. */
  seal(payload: string): string;
  /** The payload, or null unless `token` is, byte for byte, one that `seal` has made. */
  open(token: string): string | null;
};

/**
 * The signature is not a cryptographic one: it finds altered and foreign tokens, which is all that a simulator needs.
 * @param seed Tokens of another seed are refused.
 */
export function createSealer(seed: number, style: "plain" | "escaped"): Sealer {
  const key = scatter(seed, style === "plain" ? 1 : 2);
  // Both are used again and again, since an allocation costs more than all the rest.
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  const usualBytes = Buffer.alloc(PAYLOAD_BYTES_MIN);
  const seal = (payload: string) => {
    sign(payload, key, signature);
    const bytes = payload.length > PAYLOAD_BYTES_MIN ? Buffer.alloc(payload.length) : usualBytes.fill(BLANK);
    bytes.write(payload, "latin1");
    mask(bytes, signature);
    return dress(`${bytes.toString("base64url")}.${signature.toString("base64url")}`, style);
  };
  const open = (token: string) => {
    const bare = undress(token, style);
    const dot = bare.indexOf(".");
    if (dot < 0) return null;
    const bytes = Buffer.from(bare.slice(0, dot), "base64url");
    mask(bytes, Buffer.from(bare.slice(dot + 1), "base64url"));
    const payload = bytes.toString("latin1").trimEnd();
    // Base64 has spare bits: only sealing the payload again shows whether every byte is unchanged.
    return seal(payload) === token ? payload : null;
  };
  return { seal, open };
}

const BLANK = 32;

/** Four lanes, so that payloads that differ anywhere differ in 128 bits; then spread over all of `signature`. */
function sign(payload: string, key: number, signature: Buffer): void {
  let a = key ^ 0x243f6a88;
  let b = key ^ 0x85a308d3;
  let c = key ^ 0x13198a2e;
  let d = key ^ 0x03707344;
  for (let at = 0; at < payload.length; at++) {
    const code = payload.charCodeAt(at);
    a = b ^ Math.imul(a ^ code, 0x239b961b);
    b = c ^ Math.imul(b ^ code, 0xab0e9789);
    c = d ^ Math.imul(c ^ code, 0x38b34ae5);
    d = a ^ Math.imul(d ^ code, 0xa1e38b93);
  }
  for (let at = 0; at < SIGNATURE_BYTES; at++) {
    a = Math.imul(a ^ (b >>> 15) ^ at, 0x85ebca6b);
    b = Math.imul(b ^ (c >>> 13), 0xc2b2ae35);
    c = Math.imul(c ^ (d >>> 16), 0x27d4eb2f);
    d = Math.imul(d ^ (a >>> 14), 0x165667b1);
    signature[at] = (a ^ b ^ c ^ d) >>> 24;
  }
}

/** Hides the payload under a stream that follows from its signature, so that no two tokens look alike. */
function mask(bytes: Buffer, signature: Buffer): void {
  let state = 0;
  for (let at = 0; at < 4; at++) state = (state << 8) | (signature[at] ?? 0);
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    bytes[at] = (bytes[at] ?? 0) ^ (state >>> 24);
  }
}

const ESCAPED_AT = 7;

function dress(token: string, style: "plain" | "escaped"): string {
  return style === "plain" ? token : `${token.slice(0, ESCAPED_AT)}%2B${token.slice(ESCAPED_AT)}%3D`;
}

function undress(token: string, style: "plain" | "escaped"): string {
  return style === "plain" ? token : `${token.slice(0, ESCAPED_AT)}${token.slice(ESCAPED_AT + 3, -3)}`;
}
