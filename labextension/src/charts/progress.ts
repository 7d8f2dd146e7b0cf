/** How a sync gets on: what each write of one key says of it. */

import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { element, listen, setAttribute, setText } from './dom';
import { nearest, pointsOf, progressDrawing } from './progressline';
import type { Points } from './progressline';
import { RowGrid } from './rowgrid';
import { clamp } from './scale';
import { line } from './text';
import { count, counted, duration, general, NOTHING } from './units';
import type { ProgressRows } from './wire';

/** Pixels of a row; the style sheet has the same. */
const ROW = 24;
const TALLEST = 12;
const HEIGHT = 150;
const NARROWEST = 200;

export function progressChart(context: Context): Chart {
  return new ProgressChart(context);
}

/** A figure with no more digits than it takes. */
export function figure(value: number): string {
  if (Number.isInteger(value)) {
    return count(value);
  }
  return Math.abs(value) >= 100 ? count(Math.round(value)) : general(value, 3);
}

/** `600 of 1234 items, 12.3 a second, about 51 s left`. */
export function sentence(rows: ProgressRows, running: boolean): string {
  const last = rows.total.length - 1;
  const total = rows.total[last];
  if (total === undefined) {
    return running ? 'Nothing yet.' : 'Nothing was written.';
  }
  const { expected } = rows;
  const items = total === 1 && expected === null ? 'item' : 'items';
  const words = [`${figure(total)}${expected === null ? '' : ` of ${figure(expected)}`} ${items}`];
  const rate = rows.rate[last] ?? null;
  if (rate !== null) {
    words.push(`${figure(rate)} a second`);
  }
  const left = rows.left_ms[last] ?? null;
  if (running && left !== null && left > 0) {
    words.push(`about ${roughly(left)} left`);
  } else if (expected !== null && total >= expected) {
    words.push('all there');
  } else if (!running && expected !== null) {
    words.push(`${figure(expected - total)} missing`);
  }
  return words.join(', ');
}

/** A time that nobody knows to a tenth of a second. */
function roughly(ms: number): string {
  return duration(ms).replace(/^(\d\d)\.\d s$/, (_, seconds: string) => `${seconds} s`);
}

class ProgressChart implements Chart {
  readonly name = 'Progress';
  readonly element = element('div', { class: 'pnb-progress' });
  private readonly empty = element(
    'p',
    { class: 'pnb-progress-empty' },
    'No key is named whose writes count items: ',
    element('code', {}, '%twist progress KEY'),
    ' shows how they grow, and so does a widget with ',
    element('code', {}, 'key='),
    '.'
  );
  private readonly words = element('p', { class: 'pnb-progress-words' });
  private readonly filled = element('span', { class: 'pnb-progress-filled' });
  private readonly bar = element(
    'div',
    { class: 'pnb-progress-bar', role: 'progressbar', 'aria-valuemin': 0 },
    this.filled
  );
  private readonly figure = element('figure', { class: 'pnb-progress-figure' });
  private readonly readout = element('p', { class: 'pnb-progress-readout', 'aria-hidden': 'true' });
  private readonly grid: RowGrid;
  private readonly whole: HTMLElement;
  private readonly drawing: Drawing;
  private readonly undo: (() => void)[];
  private stamp = '';
  private points: Points | null = null;

  constructor(private readonly context: Context) {
    const head = element('div', { class: 'pnb-progress-row' }, ...COLUMNS.map(columnHead));
    this.grid = new RowGrid(head, {
      rowHeight: ROW,
      cells: index => this.cells(index),
      finish: (row, index) => {
        row.classList.add('pnb-progress-row');
        row.classList.toggle('pnb-selected', this.isSelected(index));
      },
      chosen: index => this.choose(index)
    });
    this.grid.element.classList.add('pnb-progress-rows');
    this.whole = element('div', {}, this.words, this.bar, this.figure, this.readout, this.grid.element);
    this.element.append(this.empty, this.whole);
    this.drawing = follow(context, this.element, () => this.draw());
    this.undo = [
      listen(this.figure, 'pointermove', event => this.point(event)),
      listen(this.figure, 'pointerleave', () => this.point(null)),
      listen(this.figure, 'click', event => this.clicked(event))
    ];
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.drawing.dispose();
    this.grid.dispose();
  }

  table(): Table {
    const { journal } = this.context;
    const rows = journal.progress;
    return {
      name: `Progress of ${rows?.key ?? ''}`,
      columns: ['execution', 'method', 'updated', 'items', 'total', 'rate', 'requests_per_item', 'left_ms'],
      rows: (rows?.id ?? []).map((_, index) => {
        const attempt = this.attemptOf(index);
        return [
          attempt?.label ?? 'by hand',
          attempt?.method ?? null,
          new Date(journal.origin + (rows?.updated[index] ?? 0)).toISOString(),
          rows?.items[index] ?? null,
          rows?.total[index] ?? null,
          rows?.rate[index] ?? null,
          rows?.requests_per_item[index] ?? null,
          rows?.left_ms[index] ?? null
        ];
      })
    };
  }

  svg(): SVGSVGElement | null {
    const rows = this.context.journal.progress;
    if (!rows || rows.id.length === 0) {
      return null;
    }
    return progressDrawing(this.pointsFor(rows, 720), {
      height: 240,
      title: this.title(rows),
      forFile: true
    });
  }

  private draw(): void {
    const { journal, selection } = this.context;
    const rows = journal.progress;
    this.empty.hidden = rows !== null;
    this.whole.hidden = rows === null;
    if (rows === null) {
      return;
    }
    this.drawWords(rows, journal.running);
    const width = Math.max(NARROWEST, this.element.clientWidth || 640);
    const last = rows.id.length - 1;
    const stamp = [
      journal.version,
      journal.running,
      selection.value,
      width,
      rows.id.length,
      rows.total[last]
    ].join();
    if (stamp !== this.stamp) {
      this.stamp = stamp;
      this.points = this.pointsFor(rows, width);
      this.figure.hidden = rows.id.length === 0;
      this.figure.replaceChildren(
        progressDrawing(this.points, { height: HEIGHT, title: this.title(rows), forFile: false })
      );
      this.drawRows(rows);
    }
  }

  private drawWords(rows: ProgressRows, running: boolean): void {
    const words = sentence(rows, running);
    setText(this.words, `${this.keyOf(rows)}: ${words}`);
    this.bar.hidden = !running;
    const total = rows.total[rows.total.length - 1] ?? 0;
    const { expected } = rows;
    const known = expected !== null && expected > 0;
    const share = known ? clamp(total / expected, 0, 1) : 0;
    this.bar.classList.toggle('pnb-progress-unknown', !known);
    this.filled.style.width = known ? `${(100 * share).toFixed(2)}%` : '';
    setAttribute(this.bar, 'aria-label', this.keyOf(rows));
    setAttribute(this.bar, 'aria-valuemax', known ? expected : null);
    setAttribute(this.bar, 'aria-valuenow', known ? clamp(total, 0, expected) : null);
    setAttribute(this.bar, 'aria-valuetext', words);
  }

  private drawRows(rows: ProgressRows): void {
    const { grid } = this;
    const length = rows.id.length;
    const atEnd = grid.element.scrollTop + grid.element.clientHeight >= grid.element.scrollHeight - ROW;
    grid.setLabel(this.title(rows));
    grid.element.hidden = length === 0;
    grid.element.style.height = `${(Math.min(TALLEST, length) + 1) * ROW + 2}px`;
    grid.reset(length, grid.active);
    if (atEnd && this.context.journal.running) {
      grid.scrollTo(length);
    }
  }

  private pointsFor(rows: ProgressRows, width: number): Points {
    const { journal, selection } = this.context;
    const selected = selection.value === null ? -1 : rows.by.lastIndexOf(selection.value);
    return pointsOf(rows, { width, now: journal.now, running: journal.running, selected });
  }

  private keyOf(rows: ProgressRows): string {
    return line(rows.field ? `${rows.key}.${rows.field}` : rows.key, 80);
  }

  private title(rows: ProgressRows): string {
    return `Progress of ${this.keyOf(rows)}: ${sentence(rows, this.context.journal.running)}`;
  }

  private attemptOf(index: number): { label: string; method: string } | null {
    const { journal } = this.context;
    const by = journal.progress?.by[index] ?? null;
    if (by === null) {
      return null;
    }
    const place = journal.indexOf(by);
    return place < 0 ? { label: NOTHING, method: '' } : journal.attempt(place);
  }

  private isSelected(index: number): boolean {
    const by = this.context.journal.progress?.by[index] ?? null;
    return by !== null && by === this.context.selection.value;
  }

  private choose(index: number): void {
    const by = this.context.journal.progress?.by[index] ?? null;
    if (by !== null) {
      this.context.selection.set(by);
    }
  }

  private cells(index: number): HTMLElement[] {
    const rows = this.context.journal.progress;
    if (!rows) {
      return [];
    }
    const attempt = this.attemptOf(index);
    const number = (value: number | null | undefined): string => (value == null ? NOTHING : figure(value));
    const items = rows.items[index] ?? 0;
    const left = rows.left_ms[index] ?? null;
    return [
      cell('by', element('bdi', {}, attempt ? `${attempt.label} ${attempt.method}` : 'by hand')),
      cell('when', duration(rows.updated[index] ?? 0)),
      cell('items', items > 0 ? `+${figure(items)}` : figure(items)),
      cell('total', number(rows.total[index])),
      cell('rate', number(rows.rate[index])),
      cell('cost', number(rows.requests_per_item[index])),
      cell('left', left === null ? NOTHING : duration(left))
    ];
  }

  private placeOf(event: MouseEvent): number {
    const svg = this.figure.firstElementChild;
    return svg && this.points ? nearest(this.points, event.clientX - svg.getBoundingClientRect().left) : -1;
  }

  private point(event: PointerEvent | null): void {
    const rows = this.context.journal.progress;
    const index = event && rows ? this.placeOf(event) : -1;
    if (!rows || index < 0) {
      setText(this.readout, '');
      return;
    }
    const attempt = this.attemptOf(index);
    const total = figure(rows.total[index] ?? 0);
    const words = [
      `${total} after ${duration(rows.updated[index] ?? 0)}`,
      `${counted(rows.items[index] ?? 0, 'item')} by `
    ];
    setText(this.readout, `${words.join(', ')}${attempt ? `${attempt.label} ${attempt.method}` : 'hand'}`);
  }

  private clicked(event: MouseEvent): void {
    const index = this.placeOf(event);
    if (index >= 0) {
      this.choose(index);
      this.grid.show(index);
    }
  }
}

function columnHead([name, title]: readonly [string, string]): HTMLElement {
  return element('span', { class: `pnb-progress-${name}`, role: 'columnheader' }, title);
}

function cell(name: string, ...children: (Node | string)[]): HTMLElement {
  return element('span', { class: `pnb-progress-${name}` }, ...children);
}

const COLUMNS: readonly [string, string][] = [
  ['by', 'execution'],
  ['when', 'at'],
  ['items', 'items'],
  ['total', 'total'],
  ['rate', 'a second'],
  ['cost', 'requests each'],
  ['left', 'left']
];
