/** What became of the receiver's copy. */
export type Proof = {
  readonly notifications: number;
  /** Requests that were not signed as they should have been. */
  readonly refused: number;
  readonly edits: number;
  /** Edits of which it was not told. */
  readonly untold: number;
  /** From an edit to its notification, at most; null: no edit was told. */
  readonly lagSeconds: number | null;
  /** Mailboxes of which the receiver's copy is not what the mirror has. */
  readonly different: readonly string[];
};

/** Whether nothing is wrong. */
export function isProof({ untold, refused, different }: Proof): boolean {
  return untold === 0 && refused === 0 && different.length === 0;
}
