/** Rows of one height in a list that scrolls: which are in view, which are elements, and where a key goes. */

import { clamp } from './scale';

/** Where there is no layout, as in a page that is not shown: enough for a first look. */
const UNKNOWN_HEIGHT = 400;
/** Rows that are elements beyond each edge, so that a fast scroll shows no gap. */
const BEYOND = 6;

/** Rows on a screen: pixels of each, of what was scrolled by, and of the room they have. */
export interface Extent {
  readonly length: number;
  readonly rowHeight: number;
  readonly top: number;
  readonly room: number;
}

/** The first row in view, and the one behind the last. */
export function rowsInView({ length, rowHeight, top, room }: Extent): [first: number, end: number] {
  return [
    Math.min(Math.floor(top / rowHeight), length),
    Math.min(Math.ceil((top + room) / rowHeight), length)
  ];
}

/** The rows that have to be elements. */
export function rowsAround(extent: Extent): [first: number, end: number] {
  const [first, end] = rowsInView(extent);
  return [Math.max(0, first - BEYOND), Math.min(extent.length, end + BEYOND)];
}

/** How far to scroll such that a row is in view: no further than it takes. */
export function topFor(row: number, { rowHeight, top, room }: Extent): number {
  return Math.min(row * rowHeight, Math.max(top, (row + 1) * rowHeight - room));
}

/** The row to which a key goes from another; null for a key that goes nowhere. */
export function rowBeside(key: string, row: number, length: number, page: number): number | null {
  const rows: Record<string, number> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: length - 1
  };
  const found = rows[key];
  return found === undefined ? null : clamp(found, 0, length - 1);
}

/** How many rows a page key goes: all in view but one, which tells where it went. */
export function pageOf({ rowHeight, room }: Extent): number {
  return Math.max(1, Math.floor(room / rowHeight) - 1);
}

/** The rows in view as elements in `body`, which is as high as all of them, within `host`, which scrolls. */
export class ScrolledRows implements Extent {
  private readonly made = new Map<number, HTMLElement>();
  private count = 0;

  /** @param head What stands above the rows and does not scroll. */
  constructor(
    private readonly host: HTMLElement,
    private readonly body: HTMLElement,
    readonly rowHeight: number,
    private readonly head: HTMLElement | null = null
  ) {}

  get length(): number {
    return this.count;
  }

  set length(length: number) {
    this.count = length;
    this.body.style.height = `${length * this.rowHeight}px`;
  }

  get top(): number {
    return this.host.scrollTop;
  }

  set top(top: number) {
    this.host.scrollTop = top;
  }

  get room(): number {
    return Math.max(this.rowHeight, (this.host.clientHeight || UNKNOWN_HEIGHT) - (this.head?.offsetHeight ?? 0));
  }

  /** The first row of which all is in view. */
  get firstWhole(): number {
    return Math.min(this.count - 1, Math.ceil(this.top / this.rowHeight));
  }

  /** Scroll such that a row is in view. */
  bring(row: number): void {
    const top = topFor(row, this);
    if (top !== this.top) {
      this.top = top;
    }
  }

  /** Where a key goes; null if it goes nowhere. */
  beside(key: string, row: number): number | null {
    return rowBeside(key, row, this.count, pageOf(this));
  }

  /** Have the rows around those in view as elements, in their order, which is the order that is read out. */
  fill(make: (row: number) => HTMLElement): void {
    const [from, to] = rowsAround(this);
    for (const [row, node] of this.made) {
      if (row < from || row >= to) {
        node.remove();
        this.made.delete(row);
      }
    }
    let after: Element | null = null;
    for (let row = from; row < to; row += 1) {
      let node = this.made.get(row);
      if (node === undefined) {
        node = make(row);
        node.dataset['row'] = String(row);
        node.style.top = `${row * this.rowHeight}px`;
        this.made.set(row, node);
        this.body.insertBefore(node, after ? after.nextSibling : this.body.firstChild);
      }
      after = node;
    }
  }

  /** Drop all elements. */
  clear(): void {
    this.made.forEach(node => node.remove());
    this.made.clear();
  }

  /** The rows that are elements. */
  get elements(): ReadonlyMap<number, HTMLElement> {
    return this.made;
  }

  /** The row that an event was at; -1. */
  rowAt(target: EventTarget | null): number {
    const node = target instanceof Element ? target.closest('[data-row]') : null;
    return node === null ? -1 : Number(node.getAttribute('data-row'));
  }
}
