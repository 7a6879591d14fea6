/** One fault planted in the product. `from` must stand in the file just once. */
export type Mutant = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Tests that find it sooner than storms and sweep would, or where those are too coarse. Absent: they must find it. */
  readonly unit?: readonly string[];
};
