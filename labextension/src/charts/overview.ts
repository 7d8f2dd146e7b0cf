/** All attempts in the width of a list: each column is the heaviest of some. */

import { element, setAttribute, setText, svgElement } from './dom';
import type { Journal } from './journal';
import { NEAR, OVER } from './outcome';
import { clamp, niceStep } from './scale';
import { count } from './units';
import { KINDS } from './wire';
import type { Kind } from './wire';

/** Columns at most, so that each is some pixels wide. */
export const COLUMNS = 200;

/** Some attempts that follow each other in a list. */
export interface Bucket {
  /** Places in the list: the first, and the one behind the last. */
  from: number;
  to: number;
  /** Indices in the journal. */
  first: number;
  last: number;
  heaviest: number;
  failed: number;
  near: boolean;
}

/** Attempts as columns, a round number of them in each, so that columns keep their attempts while more come. */
export function buckets(journal: Journal, length: number, indexAt: (place: number) => number): Bucket[] {
  const size = niceStep(Math.max(1, length / COLUMNS));
  const found: Bucket[] = [];
  for (let from = 0; from < length; from += size) {
    found.push(bucket(journal, from, Math.min(from + size, length), indexAt));
  }
  return found;
}

function bucket(journal: Journal, from: number, to: number, indexAt: (place: number) => number): Bucket {
  const first = indexAt(from);
  const found = { from, to, first, last: indexAt(to - 1), heaviest: first, failed: 0, near: false };
  let most = -1;
  for (let place = from; place < to; place += 1) {
    const index = indexAt(place);
    const requests = journal.requestsAt(index);
    if (requests > most) {
      most = requests;
      found.heaviest = index;
    }
    found.failed += journal.failedAt(index) ? 1 : 0;
    found.near ||= journal.nearAt(index);
  }
  return found;
}

/** The path of each kind's part of all columns, in a box as wide as there are columns and as high as the limit. */
export function columnPaths(journal: Journal, columns: readonly Bucket[]): [Kind, string][] {
  const paths = new Map<Kind, string[]>();
  const limit = journal.limits.requests;
  columns.forEach(({ heaviest }, place) => {
    let base = 0;
    for (const [kind, number] of journal.spentAt(heaviest)) {
      const path = paths.get(kind) ?? [];
      path.push(`M${place} ${limit - base}v${-number}h.8v${number}z`);
      paths.set(kind, path);
      base += number;
    }
  });
  return KINDS.flatMap(kind => (paths.has(kind) ? [[kind, (paths.get(kind) ?? []).join('')] as [Kind, string]] : []));
}

export interface OverviewOptions {
  /** Somebody wants to see what is at a place. */
  jump(place: number): void;
  /** What the pointer is at, and where in the overview; null when it has left. */
  point(column: Bucket | null, x: number): void;
}

/** The columns of a long list, with the part that is in view; for the pointer, as the keyboard has the list. */
export class Overview {
  readonly element: HTMLElement;
  private readonly drawing = svgElement('svg', { class: 'pnb-overview-columns', preserveAspectRatio: 'none' });
  private readonly paths = new Map<Kind, SVGPathElement>();
  private readonly marks = element('div', { class: 'pnb-overview-marks' });
  private readonly shade = element('div', { class: 'pnb-overview-view' });
  private readonly note = element('span', { class: 'pnb-overview-note' });
  private readonly plot: HTMLElement;
  private columns: Bucket[] = [];
  private length = 0;

  constructor(private readonly options: OverviewOptions) {
    for (const kind of KINDS) {
      const path = svgElement('path', { class: `pnb-kind-${kind}` });
      this.paths.set(kind, path);
      this.drawing.append(path);
    }
    this.plot = element(
      'div',
      { class: 'pnb-overview-plot' },
      this.drawing,
      element('div', { class: 'pnb-overview-close' }),
      this.shade,
      this.marks
    );
    this.element = element('div', { class: 'pnb-overview', 'aria-hidden': 'true' }, this.note, this.plot);
    this.plot.addEventListener('pointerdown', event => this.onDown(event));
    this.plot.addEventListener('pointermove', event => this.onMove(event));
    this.plot.addEventListener('pointerleave', () => this.options.point(null, 0));
  }

  /** Draw the attempts of a list. */
  draw(journal: Journal, length: number, indexAt: (place: number) => number): void {
    this.length = length;
    this.columns = buckets(journal, length, indexAt);
    setAttribute(this.drawing, 'viewBox', `0 0 ${this.columns.length} ${journal.limits.requests}`);
    const paths = new Map(columnPaths(journal, this.columns));
    for (const [kind, path] of this.paths) {
      setAttribute(path, 'd', paths.get(kind) ?? null);
    }
    this.drawMarks();
    const size = (this.columns[0]?.to ?? 1) - (this.columns[0]?.from ?? 0);
    setText(
      this.note,
      size > 1 ? `All ${count(length)}; each column the heaviest of ${count(size)}` : `All ${count(length)}, a column each`
    );
  }

  /** Show which rows are in view. */
  drawView([first, last]: readonly [number, number]): void {
    const width = Math.max(1, this.columnsWide());
    this.shade.style.left = `${(100 * first) / width}%`;
    this.shade.style.width = `${(100 * (last - first)) / width}%`;
  }

  /** Rows that the whole width would hold: the last column may have fewer than the others. */
  private columnsWide(): number {
    const size = (this.columns[0]?.to ?? 1) - (this.columns[0]?.from ?? 0);
    return this.columns.length * size;
  }

  private drawMarks(): void {
    const marks: HTMLElement[] = [];
    const taken = { [OVER]: -1, [NEAR]: -1 };
    this.columns.forEach((column, place) => {
      const shape = column.failed ? OVER : column.near ? NEAR : null;
      const share = (place + 0.4) / this.columns.length;
      // Where several would cover each other, one stands for them.
      if (shape && share - taken[shape] >= APART) {
        taken[shape] = share;
        const kind = shape === OVER ? 'pnb-bad' : 'pnb-near';
        marks.push(element('span', { class: kind, style: { left: `${100 * share}%` } }, shape));
      }
    });
    this.marks.replaceChildren(...marks);
  }

  private onDown(event: PointerEvent): void {
    this.plot.setPointerCapture(event.pointerId);
    this.jump(event);
  }

  private onMove(event: PointerEvent): void {
    if (event.buttons & 1) {
      this.jump(event);
    }
    const share = this.share(event);
    this.options.point(this.columns[Math.floor(share * this.columns.length)] ?? null, event.offsetX);
  }

  private jump(event: PointerEvent): void {
    const place = Math.floor(this.share(event) * this.columnsWide());
    this.options.jump(clamp(place, 0, this.length - 1));
  }

  private share(event: PointerEvent): number {
    const { left, width } = this.plot.getBoundingClientRect();
    return clamp((event.clientX - left) / (width || 1), 0, 0.9999);
  }
}

/** The least distance of two marks of one shape, as a share of the width. */
const APART = 0.012;
