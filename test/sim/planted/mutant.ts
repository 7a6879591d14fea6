/** One fault planted in the product. `from` must stand in the file just once. */
export type Mutant = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Where to look once storms and sweep have not found it. */
  readonly unit?: readonly string[];
};
