import { below, type Random } from "../../local/graph/random.js";

/** What becomes of a call. `go`: it has its effect and its answer comes. */
export type Fate = "go" | "fails" | "lost" | "late" | "stall" | "crashBefore" | "crashAfter";

export type CallKind = "get" | "page" | "transact" | "fetch" | "send" | "delete" | "nudge" | "sleep" | "effect";

/** Something that can die with all that runs in it; the world has several. */
export type Mortal = { readonly name: string; isDead: boolean };

type Gate = {
  readonly owner: Mortal;
  readonly kind: CallKind;
  readonly label: () => string;
  dueMs: number;
  readonly open: (fate: Fate) => void;
  /** Told instead of `open` when the owner dies; most calls simply never return. */
  readonly onDeath: (() => void) | null;
};

const stallMsMax = 30 * 60_000;

/**
 * The only thing that lets time pass. Each call of the product waits at a gate, and the scheduler opens one gate after
 * the other, in an order that the seed decides; between two openings only microtasks run.
 */
export class Scheduler {
  nowMs: number;
  steps = 0;
  readonly #gates: Gate[] = [];

  constructor(
    startMs: number,
    private readonly random: Random,
    private readonly fateOf: (kind: CallKind, owner: Mortal) => Fate,
    private readonly trace: (line: () => string) => void,
  ) {
    this.nowMs = startMs;
  }

  /** Calls once it is time, unless it is called off by what this returns, or its owner dies. */
  timer(owner: Mortal, label: () => string, dueMs: number, call: () => void): () => void {
    const gate: Gate = { owner, kind: "effect", label, dueMs, open: call, onDeath: null };
    if (!owner.isDead) this.#gates.push(gate);
    return () => this.#remove(gate);
  }

  /**
   * Waits for its turn. Never returns for a dead owner. @param dueMs Not before this time. @param signal Whoever waits has
   * given up: it ends as when the owner dies.
   */
  gate(
    owner: Mortal,
    kind: CallKind,
    label: () => string,
    dueMs = 0,
    onDeath: (() => void) | null = null,
    signal: Pick<AbortSignal, "addEventListener"> | null = null,
  ): Promise<Fate> {
    if (owner.isDead) {
      onDeath?.();
      return new Promise<never>(() => undefined);
    }
    return new Promise((open) => {
      const gate: Gate = { owner, kind, label, dueMs, open, onDeath };
      this.#gates.push(gate);
      signal?.addEventListener("abort", () => {
        this.#remove(gate);
        onDeath?.();
      });
    });
  }

  /** How many gates could be opened now. */
  ready(): number {
    let count = 0;
    for (const gate of this.#gates) if (gate.dueMs <= this.nowMs) count += 1;
    return count;
  }

  get waiting(): number {
    return this.#gates.length;
  }

  /** When the next gate falls due that is not yet; Infinity for none. */
  nextDueMs(): number {
    return this.#gates.reduce((next, gate) => (gate.dueMs > this.nowMs ? Math.min(next, gate.dueMs) : next), Infinity);
  }

  /** Opens the gate at this place among the ready ones, and lets all run that follows from it. */
  async open(place: number): Promise<void> {
    let left = place;
    const index = this.#gates.findIndex((gate) => gate.dueMs <= this.nowMs && left-- === 0);
    const [gate] = index < 0 ? [] : this.#gates.splice(index, 1);
    if (gate === undefined) return;
    this.steps += 1;
    this.nowMs += below(this.random, 60);
    const fate = this.fateOf(gate.kind, gate.owner);
    this.trace(() => `${gate.owner.name} ${gate.kind} ${gate.label()}${fate === "go" ? "" : ` (${fate})`}`);
    if (fate === "stall") {
      gate.dueMs = this.nowMs + below(this.random, stallMsMax);
      this.#gates.push(gate);
      return;
    }
    gate.open(fate);
    await settled();
  }

  #remove(gate: Gate): void {
    const index = this.#gates.indexOf(gate);
    if (index >= 0) this.#gates.splice(index, 1);
  }

  /** The owner's calls never return. */
  kill(owner: Mortal): void {
    owner.isDead = true;
    for (let index = this.#gates.length - 1; index >= 0; index--) {
      const gate = this.#gates[index];
      if (gate?.owner !== owner) continue;
      this.#gates.splice(index, 1);
      gate.onDeath?.();
    }
  }
}

/** Resolves when all microtasks have run: nothing here waits for a real timer or the network. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
