/** A list of very many rows, of which only those in view are elements. */

import { element, listen, setAttribute, uniqueId } from './dom';
import { clamp } from './scale';
import { pageOf, rowBeside, rowsAround, rowsInView, topFor } from './scrolledrows';
import type { Extent } from './scrolledrows';

/** What one row is drawn into; its element is used for one row after another. */
export interface Row {
  readonly element: HTMLElement;
}

export interface Options<R extends Row> {
  /** Pixels of each row. */
  rowHeight: number;
  /** Pixels of the list, where there are more rows than that. */
  maxHeight?: number;
  make(): R;
  draw(row: R, place: number): void;
  /** A row is drawn again when this changes. */
  stamp(place: number): number | string;
  /** A row was clicked, or chosen with Enter or Space. */
  choose?(place: number): void;
  /** The row to tell more about has changed; null when there is none. `x` is where the pointer is, if it was that. */
  point?(place: number | null, row: HTMLElement | null, x: number | null): void;
  /** The rows in view have changed. */
  scrolled?(): void;
}

const MAX_HEIGHT = 264;

interface Placed<R> {
  row: R;
  place: number;
  stamp: number | string | null;
}

/**
 * A listbox with one tab stop. The focus stays on the list and `aria-activedescendant` names the active row,
 * so that a row may leave the view, and its element serve another, without losing the focus.
 */
export class VirtualRows<R extends Row> {
  readonly element: HTMLElement;
  /** While set the end stays in view, unless the user scrolled away from it. */
  following = false;

  private readonly body = element('div', { class: 'pnb-list-body', role: 'presentation' });
  private readonly id = uniqueId('row');
  private readonly rowHeight: number;
  private readonly maxHeight: number;
  private readonly undo: (() => void)[];
  private placed = new Map<number, Placed<R>>();
  private spare: Placed<R>[] = [];
  private length = 0;
  private active = -1;
  private chosen = -1;
  private atEnd = true;
  /** Where the list was scrolled to by itself: an event about that is not the user's. */
  private scrolledTo = -1;
  private pointed: number | null = null;
  private top = 0;
  /** Whether `top` is still to be told to the element. */
  private unscrolled = false;

  constructor(
    label: string,
    private readonly options: Options<R>
  ) {
    this.rowHeight = options.rowHeight;
    this.maxHeight = options.maxHeight ?? MAX_HEIGHT;
    this.element = element(
      'div',
      {
        class: 'pnb-list',
        role: 'listbox',
        tabindex: 0,
        'aria-label': label,
        // JupyterLab would take the arrow keys for its own.
        'data-lm-suppress-shortcuts': 'true',
        style: { 'max-height': `${this.maxHeight}px` }
      },
      this.body
    );
    this.undo = [
      listen(this.element, 'scroll', () => this.onScroll(), { passive: true }),
      listen(this.element, 'keydown', event => this.onKey(event)),
      listen(this.element, 'click', event => this.onClick(event)),
      listen(this.element, 'focus', () => this.onFocus()),
      listen(this.element, 'blur', () => this.point(null)),
      listen(this.element, 'pointermove', event => this.point(this.placeAt(event), event.clientX)),
      listen(this.element, 'pointerleave', () => this.point(null))
    ];
    if (typeof ResizeObserver !== 'undefined') {
      const observer = new ResizeObserver(() => this.onShown());
      observer.observe(this.element);
      this.undo.push(() => observer.disconnect());
    }
  }

  get count(): number {
    return this.length;
  }

  /** How many rows there are; takes effect with the next `draw`. */
  set count(length: number) {
    if (length === this.length) {
      return;
    }
    this.length = length;
    this.active = Math.min(this.active, length - 1);
    this.body.style.height = `${length * this.rowHeight}px`;
    const most = length * this.rowHeight - this.height();
    if (this.top > most || (this.following && this.atEnd)) {
      this.scrollTo(most);
    }
  }

  /** The row that is marked as selected; -1. */
  set selected(place: number) {
    this.chosen = place;
  }

  /** The first row in view, and the one behind the last. */
  get view(): [number, number] {
    return rowsInView(this.extent);
  }

  /** Draw the rows in view that have changed. */
  draw(): void {
    const [first, end] = rowsAround(this.extent);
    const wanted = new Set<number>();
    for (let place = first; place < end; place += 1) {
      wanted.add(place);
    }
    if (this.active >= 0) {
      wanted.add(this.active);
    }
    this.spare.push(...this.leave(wanted));
    for (const place of wanted) {
      this.drawRow(place);
    }
    for (const { row } of this.spare) {
      row.element.remove();
    }
    // Last, as it makes the browser lay out all that was written.
    if (this.unscrolled) {
      this.unscrolled = false;
      this.element.scrollTop = this.top;
      this.scrolledTo = this.element.scrollTop;
    }
    setAttribute(this.element, 'aria-activedescendant', this.active < 0 ? null : this.rowId(this.active));
  }

  /** Scroll such that a row is in view, if it is not, and stay there. */
  reveal(place: number): void {
    if (topFor(place, this.extent) !== this.top) {
      this.centre(place);
    }
    this.stay();
  }

  /** Scroll such that a row is in the middle. */
  centre(place: number): void {
    this.scrollTo(place * this.rowHeight - (this.height() - this.rowHeight) / 2);
    this.atEnd = this.isAtEnd();
  }

  /** Follow the end no more, until the user goes there. */
  stay(): void {
    this.atEnd = false;
  }

  /** Make a row the one that the arrow keys go on from. */
  activate(place: number): void {
    this.active = clamp(place, -1, this.length - 1);
  }

  /** Draw all rows again, for instance because places mean other rows now. */
  invalidate(): void {
    this.placed.forEach(placed => (placed.stamp = null));
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.placed.clear();
    this.spare = [];
  }

  private leave(wanted: ReadonlySet<number>): Placed<R>[] {
    const left = [...this.placed.values()].filter(({ place }) => !wanted.has(place));
    left.forEach(({ place }) => this.placed.delete(place));
    return left;
  }

  private drawRow(place: number): void {
    const placed = this.placed.get(place) ?? this.take(place);
    const { element: node } = placed.row;
    const stamp = this.options.stamp(place);
    if (placed.stamp !== stamp) {
      placed.stamp = stamp;
      this.options.draw(placed.row, place);
    }
    setAttribute(node, 'aria-setsize', this.length);
    setAttribute(node, 'aria-selected', place === this.chosen ? 'true' : 'false');
    node.classList.toggle('pnb-active', place === this.active);
    if (!node.isConnected || node.parentNode !== this.body) {
      this.body.append(node);
    }
  }

  private take(place: number): Placed<R> {
    const placed = this.spare.pop() ?? { row: this.options.make(), place, stamp: null };
    const { element: node } = placed.row;
    placed.place = place;
    placed.stamp = null;
    this.placed.set(place, placed);
    node.id = this.rowId(place);
    node.classList.add('pnb-list-row');
    node.style.height = `${this.rowHeight}px`;
    node.style.transform = `translateY(${place * this.rowHeight}px)`;
    setAttribute(node, 'role', 'option');
    setAttribute(node, 'aria-posinset', place + 1);
    return placed;
  }

  private get extent(): Extent {
    return { length: this.length, rowHeight: this.rowHeight, top: this.top, room: this.height() };
  }

  private rowId(place: number): string {
    return `${this.id}-${place}`;
  }

  /** Known without asking, which would make the browser lay out the page. */
  private height(): number {
    return Math.min(this.maxHeight, this.length * this.rowHeight);
  }

  /** Takes effect with the next `draw`. */
  private scrollTo(top: number): void {
    this.top = clamp(top, 0, this.length * this.rowHeight - this.height());
    this.unscrolled = true;
  }

  private isAtEnd(): boolean {
    return this.top + this.height() >= (this.length - 1) * this.rowHeight;
  }

  /** A list that was out of the document, or hidden, has lost where it was scrolled to. */
  private onShown(): void {
    if (this.element.clientHeight && Math.abs(this.element.scrollTop - this.top) > 1) {
      this.unscrolled = true;
      this.draw();
    }
  }

  private onScroll(): void {
    if (this.element.scrollTop !== this.scrolledTo) {
      this.scrolledTo = -1;
      this.top = this.element.scrollTop;
      this.atEnd = this.isAtEnd();
      this.point(null);
    }
    this.draw();
    this.options.scrolled?.();
  }

  private onFocus(): void {
    if (this.active < 0 && this.length) {
      this.active = this.chosen >= 0 ? this.chosen : this.view[0];
      this.draw();
    }
  }

  private onClick(event: MouseEvent): void {
    const place = this.placeAt(event);
    if (place !== null) {
      this.active = place;
      this.options.choose?.(place);
      this.draw();
    }
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.length) {
      return;
    }
    if (event.key === 'Escape' && this.pointed !== null) {
      this.point(null);
    } else if ((event.key === 'Enter' || event.key === ' ') && this.active >= 0) {
      this.options.choose?.(this.active);
      this.draw();
    } else if (!this.move(event.key)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private move(key: string): boolean {
    const next = rowBeside(key, this.active, this.length, pageOf(this.extent));
    if (next === null) {
      return false;
    }
    this.active = next;
    this.bring(this.active);
    this.draw();
    this.point(this.active);
    return true;
  }

  /** Scroll no further than a row needs to be in view. */
  private bring(place: number): void {
    const top = topFor(place, this.extent);
    if (top !== this.top) {
      this.scrollTo(top);
    }
    this.atEnd = place === this.length - 1;
  }

  private point(place: number | null, x: number | null = null): void {
    if (place === this.pointed) {
      return;
    }
    this.pointed = place;
    this.options.point?.(place, place === null ? null : (this.placed.get(place)?.row.element ?? null), x);
  }

  private placeAt(event: MouseEvent): number | null {
    const row = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    const place = row ? Number(row.getAttribute('aria-posinset')) - 1 : -1;
    return place >= 0 && place < this.length && this.placed.has(place) ? place : null;
  }
}
