/** Columns that grow, so that a row costs a few bytes and no object. */

import type { Words } from './wire';

type Store = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** Numbers by row. Only Float64 columns can hold `NaN`, which stands for what is not there. */
export class Column<S extends Store = Float64Array> {
  private _data: S;

  constructor(private readonly _make: new (length: number) => S) {
    this._data = new _make(256);
  }

  /** The number of a row; 0 where none was written. */
  at(row: number): number {
    return this._data[row] ?? 0;
  }

  /** As `at`, with null for what is not there. */
  known(row: number): number | null {
    const value = this._data[row];
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  set(row: number, value: number): void {
    if (row >= this._data.length) {
      const grown = new this._make(Math.max(row + 1, 2 * this._data.length));
      grown.set(this._data);
      this._data = grown;
    }
    this._data[row] = value;
  }
}

export const floats = (): Column => new Column(Float64Array);
export const integers = (): Column<Int32Array> => new Column(Int32Array);
export const naturals = (): Column<Uint32Array> => new Column(Uint32Array);
export const bytes = (): Column<Uint8Array> => new Column(Uint8Array);

/** Texts by row, of which few are different; each is made safe to show once. */
export class TextColumn {
  private readonly _numbers = new Map<string, number>();
  private readonly _raw: string[] = [];
  private readonly _shown: string[] = [];
  private readonly _at = naturals();

  constructor(private readonly _show: (raw: string) => string = raw => raw) {}

  /** Safe to show. */
  at(row: number): string {
    return this._shown[this._at.at(row)] ?? '';
  }

  /** As it came. */
  raw(row: number): string {
    return this._raw[this._at.at(row)] ?? '';
  }

  set(row: number, text: string): void {
    let number = this._numbers.get(text);
    if (number === undefined) {
      number = this._raw.push(text) - 1;
      this._numbers.set(text, number);
      this._shown.push(this._show(text));
    }
    this._at.set(row, number);
  }
}

/** The text of a row of a column of words. */
export function word(words: Words, row: number): string {
  return words.words[words.at[row] ?? -1] ?? '';
}
