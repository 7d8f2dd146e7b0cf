/** Numbers as people read them: the same words as `plot_nb/view/units.py`. */

import { grouped } from './text';

/** Stands for a number that is not known. */
export const NOTHING = '—';

/** `553`, `1000`, `13,604`: digits are grouped where there are five of them or more. */
export function count(number: number): string {
  const whole = Math.trunc(number) || 0;
  return Math.abs(whole) >= 10_000 ? grouped(whole) : String(whole);
}

/** `1 execution`, `27 executions`. */
export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${count(number)} ${number === 1 ? noun : plural}`;
}

/** A share, rounded down, so that 100% means all of it. */
export function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.trunc((100 * part) / whole) || 0 : 0}%`;
}

/** A time in two units at most: `12 ms`, `1.23 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1) {
    return ms <= 0 ? '0 ms' : ms >= 0.1 ? `${general(ms, 1)} ms` : '<0.1 ms';
  }
  if (ms < 9.95) {
    return `${fixed(ms, 1).replace(/\.0$/, '')} ms`;
  }
  if (ms < 999.5) {
    return `${fixed(ms, 0)} ms`;
  }
  const seconds = ms / 1000;
  if (seconds < 9.995) {
    return `${fixed(seconds, 2)} s`;
  }
  if (seconds < 59.95) {
    return `${fixed(seconds, 1)} s`;
  }
  return twoUnits(Number(fixed(seconds, 0)) * SECOND);
}

/** Bytes as `812 B`, `3.4 KB`, `38 MB`; a KB is 1024 bytes, as the limits count. */
export function memory(bytes: number): string {
  let size = bytes;
  for (const unit of ['B', 'KB', 'MB']) {
    if (size < 999.5) {
      return unit === 'B' || size >= 99.5 ? `${fixed(size, 0)} ${unit}` : `${general(size, 3)} ${unit}`;
    }
    size /= 1024;
  }
  return `${general(size, 3)} GB`;
}

/** Round times from zero up to a span, about as many as wanted. */
export function ticks(spanMs: number, wanted = 4): number[] {
  let step = STEPS.find(size => spanMs / size <= wanted) ?? LONGEST;
  while (spanMs / step > 2 * wanted) {
    step *= 10;
  }
  const size = step;
  return Array.from({ length: Math.trunc(spanMs / size) + 1 }, (_, index) => size * index);
}

/** The label of a round time: `0`, `500 ms`, `20 s`, `2 h`. */
export function tick(ms: number): string {
  for (const [unit, size] of LONG_UNITS) {
    if (ms >= size) {
      return `${general(ms / size, 6)} ${unit}`;
    }
  }
  return ms ? `${general(ms, 6)} ms` : '0';
}

/** As Python's `.{digits}f`: of two numbers that are equally near, the even one. */
export function fixed(value: number, digits: number): string {
  const rounded = value.toFixed(digits);
  const scale = 10 ** digits;
  if (Math.abs((value * scale) % 1) !== 0.5) {
    return rounded;
  }
  const tail = value.toFixed(70).split('.')[1]?.slice(digits) ?? '';
  if (!/^50*$/.test(tail)) {
    return rounded;
  }
  const floor = Math.floor(Math.abs(value) * scale);
  const even = (floor % 2 === 0 ? floor : floor + 1) / scale;
  return (value < 0 ? -even : even).toFixed(digits);
}

/** As Python's `.{digits}g`. */
export function general(value: number, digits: number): string {
  if (value === 0) {
    return '0';
  }
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= digits) {
    const unit = 10 ** (exponent - digits + 1);
    const rounded = exponent < 0 ? value : Number(fixed(value / unit, 0)) * unit;
    const [mantissa = '', power = ''] = rounded.toExponential(digits - 1).split('e');
    return `${withoutZeros(mantissa)}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  }
  return withoutZeros(fixed(value, digits - 1 - exponent));
}

/** `1.50` as `1.5`, and `2.00` as `2`. */
export function withoutZeros(number: string): string {
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number;
}

function twoUnits(ms: number): string {
  for (const [index, [unit, size]] of LONG_UNITS.entries()) {
    const below = LONG_UNITS[index + 1];
    if (below && ms >= size) {
      const whole = Math.floor(ms / size);
      const rest = Math.floor((ms % size) / below[1]);
      return rest ? `${whole} ${unit} ${rest} ${below[0]}` : `${whole} ${unit}`;
    }
  }
  return `${ms / SECOND} s`;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const LONG_UNITS: [string, number][] = [
  ['d', DAY],
  ['h', HOUR],
  ['min', MINUTE],
  ['s', SECOND]
];

const LONGEST = 100 * DAY;
const STEPS = [
  ...[1, 10, 100, 1000].flatMap(power => [power, 2 * power, 5 * power]),
  ...[10, 20, 30].map(seconds => seconds * SECOND),
  ...[1, 2, 5, 10, 20, 30].map(minutes => minutes * MINUTE),
  ...[1, 2, 4, 6, 12].map(hours => hours * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map(days => days * DAY)
];
