/** Rows of one height, of which only those in view are elements; one tab stop, and arrow keys within. */

import { element, listen, setAttribute, uniqueId } from './dom';
import { rowsInView, ScrolledRows } from './scrolledrows';

export interface RowGridOptions {
  /** Pixels; the style sheet has the same. */
  rowHeight: number;
  /** The elements of a row, first cell to last. */
  cells(index: number): HTMLElement[];
  /** What else a row needs: classes, a style. */
  finish?(row: HTMLElement, index: number): void;
  /** The row that the keyboard or the mouse is at. */
  activated?(index: number): void;
  /** Enter or a click. */
  chosen?(index: number): void;
  /** The mouse is over a row; -1: over none. */
  hovered?(index: number): void;
  /** Which rows are in view, the last one included. */
  seen?(first: number, last: number): void;
  /** A key that moves nothing; true if it was dealt with. */
  key?(key: string): boolean;
}

export class RowGrid {
  readonly element: HTMLElement;
  private readonly body = element('div', { class: 'pnb-ex-rows-body', role: 'rowgroup' });
  private readonly id = uniqueId('row');
  private readonly rows: ScrolledRows;
  private readonly undo: (() => void)[] = [];
  private at = -1;
  private over = -1;

  constructor(
    head: HTMLElement,
    private readonly options: RowGridOptions
  ) {
    const headGroup = element('div', { class: 'pnb-ex-rows-head', role: 'rowgroup' }, head);
    setAttribute(head, 'role', 'row');
    setAttribute(head, 'aria-rowindex', 1);
    this.element = element('div', { class: 'pnb-ex-rows', role: 'grid', tabindex: 0 }, headGroup, this.body);
    this.rows = new ScrolledRows(this.element, this.body, options.rowHeight, head);
    this.undo.push(
      listen(this.element, 'scroll', () => this.render(), { passive: true }),
      listen(this.element, 'keydown', event => this.keydown(event)),
      listen(this.element, 'focus', () => this.at < 0 && this.activate(this.rows.firstWhole)),
      listen(this.body, 'click', event => this.click(event)),
      listen(this.body, 'mousemove', event => this.hover(this.rows.rowAt(event.target))),
      listen(this.body, 'mouseleave', () => this.hover(-1))
    );
  }

  /** The row that is active; -1 if none is. */
  get active(): number {
    return this.at;
  }

  setLabel(label: string): void {
    setAttribute(this.element, 'aria-label', label);
  }

  /** Show so many rows, all of them made anew. */
  reset(length: number, active: number): void {
    this.rows.length = length;
    this.at = Math.min(active, length - 1);
    this.rows.clear();
    setAttribute(this.element, 'aria-rowcount', length + 1);
    this.render();
  }

  /** Make the rows in view that are not there yet, and drop those that are not in view. */
  render(): void {
    this.rows.fill(index => this.make(index));
    this.sayActive();
    const { length } = this.rows;
    if (length > 0) {
      const [first, end] = rowsInView(this.rows);
      const seen = Math.min(first, length - 1);
      this.options.seen?.(seen, Math.max(seen, end - 1));
    }
  }

  /** Make a row active and bring it into view. */
  show(index: number): void {
    this.activate(index);
    this.rows.bring(index);
    this.render();
  }

  /** Scroll such that a row is the first in view. */
  scrollTo(index: number): void {
    this.rows.top = index * this.options.rowHeight;
    this.render();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  private make(index: number): HTMLElement {
    const row = element('div', {
      class: index % 2 ? 'pnb-ex-row pnb-ex-odd' : 'pnb-ex-row',
      role: 'row',
      id: `${this.id}-${index}`,
      'aria-rowindex': index + 2
    });
    for (const cell of this.options.cells(index)) {
      setAttribute(cell, 'role', 'gridcell');
      row.append(cell);
    }
    this.options.finish?.(row, index);
    return row;
  }

  private activate(index: number): void {
    if (index < 0 || index >= this.rows.length) {
      return;
    }
    this.at = index;
    this.sayActive();
    this.options.activated?.(index);
  }

  private sayActive(): void {
    const active = this.rows.elements.get(this.at);
    setAttribute(this.element, 'aria-activedescendant', active ? active.id : null);
    this.rows.elements.forEach((row, index) => {
      row.classList.toggle('pnb-ex-active', index === this.at);
      setAttribute(row, 'aria-selected', String(index === this.at));
    });
  }

  private keydown(event: KeyboardEvent): void {
    const next = this.rows.beside(event.key, this.at);
    if (next !== null) {
      this.show(next);
    } else if ((event.key === 'Enter' || event.key === ' ') && this.at >= 0) {
      this.options.chosen?.(this.at);
    } else if (!this.options.key?.(event.key)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private click(event: MouseEvent): void {
    const index = this.rows.rowAt(event.target);
    if (index >= 0) {
      this.activate(index);
      this.options.chosen?.(index);
    }
  }

  private hover(index: number): void {
    if (index !== this.over) {
      this.over = index;
      this.options.hovered?.(index);
    }
  }
}

/** A cell of a row. */
export function cell(name: string, ...children: (Node | string | null)[]): HTMLElement {
  return element('span', { class: `pnb-ex-c-${name}` }, ...children);
}

/** The head of a column. */
export function columnHead(name: string, title: string): HTMLElement {
  return element('span', { class: `pnb-ex-c-${name}`, role: 'columnheader' }, title);
}
