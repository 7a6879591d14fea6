/** A promise of the product that did not hold, as a reader of the table or a bystander at the wire sees it. */
export type Violation = {
  readonly invariant: string;
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly step: number;
};

export type Report = (invariant: string, what: string, expected: string, seen: string) => void;
