/** Rows of one height, of which only those in view are elements; one tab stop, and arrow keys within. */

import { element, listen, setAttribute, uniqueId } from './dom';

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

/** Where there is no layout, as in a page that is not shown: enough for a first look. */
const UNKNOWN_HEIGHT = 400;
const BEYOND = 8;

export class RowGrid {
  readonly element: HTMLElement;
  private readonly body = element('div', { class: 'pnb-ex-rows-body', role: 'rowgroup' });
  private readonly id = uniqueId('row');
  private readonly made = new Map<number, HTMLElement>();
  private readonly undo: (() => void)[] = [];
  private length = 0;
  private at = -1;
  private over = -1;

  constructor(
    private readonly head: HTMLElement,
    private readonly options: RowGridOptions
  ) {
    const headGroup = element('div', { class: 'pnb-ex-rows-head', role: 'rowgroup' }, head);
    setAttribute(head, 'role', 'row');
    setAttribute(head, 'aria-rowindex', 1);
    this.element = element('div', { class: 'pnb-ex-rows', role: 'grid', tabindex: 0 }, headGroup, this.body);
    this.undo.push(
      listen(this.element, 'scroll', () => this.render(), { passive: true }),
      listen(this.element, 'keydown', event => this.keydown(event)),
      listen(this.element, 'focus', () => this.at < 0 && this.activate(this.firstSeen())),
      listen(this.body, 'click', event => this.click(event)),
      listen(this.body, 'mousemove', event => this.hover(this.indexOf(event.target))),
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
    this.length = length;
    this.at = Math.min(active, length - 1);
    this.made.forEach(row => row.remove());
    this.made.clear();
    this.body.style.height = `${length * this.options.rowHeight}px`;
    setAttribute(this.element, 'aria-rowcount', length + 1);
    this.render();
  }

  /** Make the rows in view that are not there yet, and drop those that are not in view. */
  render(): void {
    const { rowHeight, seen } = this.options;
    const height = Math.max(0, (this.element.clientHeight || UNKNOWN_HEIGHT) - this.head.offsetHeight);
    const top = this.element.scrollTop;
    const first = Math.max(0, Math.min(this.length - 1, Math.floor(top / rowHeight)));
    const last = Math.min(this.length - 1, Math.ceil((top + height) / rowHeight) - 1);
    const from = Math.max(0, first - BEYOND);
    const to = Math.min(this.length - 1, last + BEYOND);
    for (const [index, row] of this.made) {
      if (index < from || index > to) {
        row.remove();
        this.made.delete(index);
      }
    }
    let after: Element | null = null;
    for (let index = from; index <= to; index++) {
      let row = this.made.get(index);
      if (!row) {
        row = this.make(index);
        this.made.set(index, row);
        // In the order of the rows, which is the order that is read out.
        this.body.insertBefore(row, after ? after.nextSibling : this.body.firstChild);
      }
      after = row;
    }
    this.sayActive();
    if (this.length > 0) {
      seen?.(first, Math.max(first, last));
    }
  }

  /** Make a row active and bring it into view. */
  show(index: number): void {
    this.activate(index);
    const { rowHeight } = this.options;
    const room = Math.max(rowHeight, (this.element.clientHeight || UNKNOWN_HEIGHT) - this.head.offsetHeight);
    const top = index * rowHeight;
    if (top < this.element.scrollTop) {
      this.element.scrollTop = top;
    } else if (top + rowHeight > this.element.scrollTop + room) {
      this.element.scrollTop = top + rowHeight - room;
    }
    this.render();
  }

  /** Scroll such that a row is the first in view. */
  scrollTo(index: number): void {
    this.element.scrollTop = index * this.options.rowHeight;
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
      'aria-rowindex': index + 2,
      'data-index': index,
      style: { top: `${index * this.options.rowHeight}px` }
    });
    for (const cell of this.options.cells(index)) {
      setAttribute(cell, 'role', 'gridcell');
      row.append(cell);
    }
    this.options.finish?.(row, index);
    return row;
  }

  private activate(index: number): void {
    if (index < 0 || index >= this.length) {
      return;
    }
    this.at = index;
    this.sayActive();
    this.options.activated?.(index);
  }

  private sayActive(): void {
    const active = this.made.get(this.at);
    setAttribute(this.element, 'aria-activedescendant', active ? active.id : null);
    this.made.forEach((row, index) => {
      row.classList.toggle('pnb-ex-active', index === this.at);
      setAttribute(row, 'aria-selected', String(index === this.at));
    });
  }

  private firstSeen(): number {
    return Math.min(this.length - 1, Math.ceil(this.element.scrollTop / this.options.rowHeight));
  }

  private keydown(event: KeyboardEvent): void {
    const page = Math.max(
      1,
      Math.floor((this.element.clientHeight || UNKNOWN_HEIGHT) / this.options.rowHeight) - 2
    );
    const moves: Record<string, number> = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: this.at + page,
      PageUp: this.at - page,
      Home: 0,
      End: this.length - 1
    };
    const next = moves[event.key];
    if (next !== undefined) {
      this.show(Math.max(0, Math.min(this.length - 1, next)));
    } else if ((event.key === 'Enter' || event.key === ' ') && this.at >= 0) {
      this.options.chosen?.(this.at);
    } else if (!this.options.key?.(event.key)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private click(event: MouseEvent): void {
    const index = this.indexOf(event.target);
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

  private indexOf(target: EventTarget | null): number {
    const row = target instanceof Element ? target.closest('.pnb-ex-row') : null;
    return row === null ? -1 : Number(row.getAttribute('data-index'));
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
