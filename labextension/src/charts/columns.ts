/** Columns that grow, so that a row costs a few bytes and no object. */

import type { Words } from './wire';

type Store = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** Numbers by row. Only Float64 columns can hold `NaN`, which stands for what is not there. */
export class Column<S extends Store = Float64Array> {
  private data: S;

  constructor(private readonly make: new (length: number) => S) {
    this.data = new make(256);
  }

  /** The number of a row; 0 where none was written. */
  at(row: number): number {
    return this.data[row] ?? 0;
  }

  /** As `at`, with null for what is not there. */
  known(row: number): number | null {
    const value = this.data[row];
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  set(row: number, value: number): void {
    if (row >= this.data.length) {
      const grown = new this.make(Math.max(row + 1, 2 * this.data.length));
      grown.set(this.data);
      this.data = grown;
    }
    this.data[row] = value;
  }
}

export const floats = (): Column => new Column(Float64Array);
export const integers = (): Column<Int32Array> => new Column(Int32Array);
export const naturals = (): Column<Uint32Array> => new Column(Uint32Array);
export const bytes = (): Column<Uint8Array> => new Column(Uint8Array);

/** Texts by row, of which few are different; each is made safe to show once. */
export class TextColumn {
  private readonly numbers = new Map<string, number>();
  private readonly rawTexts: string[] = [];
  private readonly shown: string[] = [];
  private readonly places = naturals();

  constructor(private readonly show: (raw: string) => string = raw => raw) {}

  /** Safe to show. */
  at(row: number): string {
    return this.shown[this.places.at(row)] ?? '';
  }

  /** As it came. */
  raw(row: number): string {
    return this.rawTexts[this.places.at(row)] ?? '';
  }

  set(row: number, text: string): void {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.rawTexts.push(text) - 1;
      this.numbers.set(text, number);
      this.shown.push(this.show(text));
    }
    this.places.set(row, number);
  }
}

/** The text of a row of a column of words. */
export function word(words: Words, row: number): string {
  return words.words[words.at[row] ?? -1] ?? '';
}
