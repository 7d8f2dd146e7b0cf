/** From figures to places and back. */

/** A linear scale: `domain` is drawn at `range`. */
export class LinearScale {
  constructor(
    readonly domain: readonly [number, number],
    readonly range: readonly [number, number]
  ) {}

  /** Where a figure is drawn. */
  at(value: number): number {
    const [from, to] = this.domain;
    const [start, end] = this.range;
    return to === from ? start : start + ((value - from) / (to - from)) * (end - start);
  }

  /** Which figure is drawn at a place. */
  invert(place: number): number {
    const [from, to] = this.domain;
    const [start, end] = this.range;
    return end === start ? from : from + ((place - start) / (end - start)) * (to - from);
  }
}

/** The nearest figure that is neither less than `least` nor, unless that is less, more than `most`. */
export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** The least of 1, 2 and 5 times a power of ten that is no less than a figure. */
export function niceStep(least: number): number {
  if (!(least > 0) || !Number.isFinite(least)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9);
  return ([1, 2, 5].find(digit => digit * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** Round figures within a range, no more than wanted; never an endless list. */
export function niceTicks(from: number, to: number, wanted = 5): number[] {
  if (!(to > from) || !Number.isFinite(to - from)) {
    return [from];
  }
  const step = niceStep((to - from) / Math.max(1, wanted - 1));
  const first = Math.ceil(from / step - 1e-9) + 0; // Never -0.
  const last = Math.floor(to / step + 1e-9);
  const found: number[] = [];
  for (let index = first; index <= last; index += 1) {
    // Made of whole numbers: 3 * 0.1 is not a label anybody wants.
    found.push(step < 1 ? index / Math.round(1 / step) : index * step);
  }
  return found;
}
