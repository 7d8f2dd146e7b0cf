/**
 * Which part of the time is seen, and where on the screen a moment lies.
 *
 * While a run goes on the end of time moves. A view of everything then leaves room ahead and fills it, so
 * that what is drawn stays where it is for a while; a view of the end goes along with it; any other stays.
 */

import { clamp, niceStep } from './scale';
import { DAY, HOUR, MINUTE, SECOND, withoutZeros } from './units';

/** The least time that the whole width can show, in milliseconds. */
const LEAST = 0.05;
/** Room ahead of a run that goes on, as a share of what it has taken. */
const AHEAD = 0.15;
/** Where the end stands in a view that goes along with it, as a share of the width. */
const TIP = 0.92;

/** A span of time, drawn over a number of pixels. */
export class Viewport {
  private begin = 0;
  private end = 1;
  /** Up to when something is known; behind it there may be room. */
  private tip = 1;
  private left = 0;
  private right = 1;
  private pixels = 1;
  private everything = true;
  private along = false;

  /** The first moment that is seen. */
  get from(): number {
    return this.left;
  }

  /** The last. */
  get to(): number {
    return this.right;
  }

  get span(): number {
    return this.right - this.left;
  }

  /** All there is to see, as a span. */
  get whole(): number {
    return this.end - this.begin;
  }

  get width(): number {
    return this.pixels;
  }

  /** Whether everything is seen. */
  get fitted(): boolean {
    return this.everything;
  }

  /** Whether the view goes along with the end. */
  get following(): boolean {
    return this.along;
  }

  resize(pixels: number): void {
    this.pixels = Math.max(1, pixels);
  }

  /**
   * Say what there is to see.
   *
   * @param growing - Whether the end will move on.
   */
  cover(begin: number, end: number, growing: boolean): void {
    const least = Math.max(end, begin + 1);
    this.tip = least;
    if (!growing) {
      this.move(begin, least);
    } else if (begin !== this.begin || least > this.end || this.end === 1) {
      this.move(begin, begin + (least - begin) * (1 + AHEAD));
    } else {
      this.move(begin, this.end);
    }
  }

  /** The pixel of a moment; outside of the width where it is not seen. */
  x(time: number): number {
    return ((time - this.left) / (this.right - this.left)) * this.pixels;
  }

  /** The moment at a pixel. */
  time(x: number): number {
    return this.left + (x / this.pixels) * (this.right - this.left);
  }

  /** Show everything, from now on. */
  fit(): void {
    this.everything = true;
    this.along = false;
    this.left = this.begin;
    this.right = this.end;
  }

  /** Make what is seen longer by a factor, with one pixel staying where it is. */
  zoom(factor: number, x: number = this.pixels / 2): void {
    const fixed = this.time(x);
    const span = this.bounded(this.span * factor);
    this.look(fixed - (x / this.pixels) * span, span);
  }

  /** Go by pixels, to the right if they are positive. */
  pan(pixels: number): void {
    this.look(this.left + (pixels / this.pixels) * this.span, this.span);
  }

  /** See a span of time: moved as little as it takes, and wider only if it does not fit in. */
  show(from: number, to: number): void {
    if (this.everything || (from >= this.left && to <= this.right)) {
      return;
    }
    const span = this.bounded(Math.max(this.span, (to - from) * 1.2));
    const room = clamp(span - (to - from), 0, span / 4);
    this.look(from < this.left || to - from >= span ? from - room : to + room - span, span);
  }

  private bounded(span: number): number {
    return Math.min(Math.max(span, LEAST), this.whole);
  }

  private look(left: number, span: number): void {
    if (span >= this.whole) {
      this.fit();
      return;
    }
    this.everything = false;
    this.left = Math.min(Math.max(left, this.begin), this.end - span);
    this.right = this.left + span;
    this.along = this.left <= this.tip && this.tip <= this.right + span * 1e-6;
  }

  private move(begin: number, end: number): void {
    this.begin = begin;
    this.end = end;
    if (this.everything) {
      this.fit();
    } else {
      this.look(this.along ? Math.max(this.left, this.tip - this.span * TIP) : this.left, this.span);
    }
  }
}

/** The distance of round marks, such that each has a number of pixels at least. */
export function step(view: Viewport, apart: number): number {
  const least = (view.span * apart) / view.width;
  return least < 1 ? niceStep(least) : (STEPS.find(size => size >= least) ?? DAY * niceStep(least / DAY));
}

/** Round moments in view. */
export function marks(view: Viewport, size: number): number[] {
  const found: number[] = [];
  // By number, not by adding up: a thousand additions of 0.1 are off.
  for (let at = Math.ceil(view.from / size); at * size <= view.to; at += 1) {
    found.push(at * size);
  }
  return found;
}

/** The label of a round moment, as exact as its marks are apart: `0`, `250 ms`, `1:30`, `2 d 4 h`. */
export function moment(ms: number, size: number): string {
  if (ms <= 0) {
    return '0';
  }
  if (ms < 1000) return `${trimmed(ms, size)} ms`;
  if (ms < MINUTE) return `${trimmed(ms / 1000, size / 1000)} s`;
  const days = Math.floor(ms / DAY);
  const hours = Math.floor((ms % DAY) / HOUR);
  const minutes = Math.floor((ms % HOUR) / MINUTE);
  const seconds = (ms % MINUTE) / 1000;
  const words = days > 0 ? [`${days} d`] : [];
  if (seconds >= 0.0005 && size < MINUTE) {
    const exact = trimmed(seconds, size / 1000);
    const padded = seconds < 10 ? `0${exact}` : exact;
    words.push(hours > 0 || days > 0 ? `${hours}:${two(minutes)}:${padded}` : `${minutes}:${padded}`);
    return words.join(' ');
  }
  if (hours > 0) words.push(`${hours} h`);
  if (minutes > 0) words.push(`${minutes} min`);
  return words.join(' ');
}

const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map(seconds => seconds * SECOND),
  ...[1, 2, 5, 10, 20, 30].map(minutes => minutes * MINUTE),
  ...[1, 2, 4, 6, 12].map(hours => hours * HOUR),
  DAY
];

function decimals(size: number): number {
  return size >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(size) - 1e-9));
}

function trimmed(value: number, size: number): string {
  return withoutZeros(value.toFixed(decimals(size)));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
