/** A tree of very many items, of which only those in view are elements. */

import { element, listen, setAttribute, uniqueId } from './dom';
import { ScrolledRows } from './scrolledrows';

/** An item as the tree needs to know it. */
export interface Item {
  /** The same for the same thing, wherever it stands. */
  id: string;
  /** From 1. */
  level: number;
  /** Null for an item that has nothing within. */
  open: boolean | null;
  /** Its place among its siblings, from 1, and how many they are. */
  place: number;
  siblings: number;
  /** What typing a letter finds. */
  label: string;
  /** Whether a click anywhere on it opens and closes it. */
  folder: boolean;
  /** An item is drawn again when this changes. */
  stamp: string;
}

export interface TreeListOptions<I extends Item> {
  /** Pixels of each item; the style sheet has the same. */
  rowHeight: number;
  draw(item: I): Node[];
  /** The item that is active now. */
  activated(item: I): void;
  toggled(item: I, open: boolean): void;
  /** Enter, Space or a double click, on what cannot be opened. */
  chosen(item: I): void;
  /** A key that moves nothing; true if it was dealt with. */
  key?(event: KeyboardEvent, item: I | null): boolean;
}

const DEEPEST_INDENT = 12;

/**
 * One tab stop. The focus stays on the tree and `aria-activedescendant` names the active item, so that an item
 * may leave the view without losing the focus.
 */
export class TreeList<I extends Item> {
  readonly element: HTMLElement;
  private readonly body = element('div', { class: 'pnb-tree-body', role: 'none' });
  private readonly prefix = uniqueId('item');
  private readonly rows: ScrolledRows;
  private readonly stamps = new WeakMap<HTMLElement, string>();
  private readonly undo: (() => void)[];
  private items: readonly I[] = [];
  private at = -1;

  constructor(
    label: string,
    private readonly options: TreeListOptions<I>
  ) {
    this.element = element(
      'div',
      { class: 'pnb-tree', role: 'tree', tabindex: 0, 'aria-label': label },
      this.body
    );
    this.rows = new ScrolledRows(this.element, this.body, options.rowHeight);
    this.undo = [
      listen(this.element, 'scroll', () => this.render(), { passive: true }),
      listen(this.element, 'keydown', event => this.keydown(event)),
      listen(this.element, 'focus', () => this.focused()),
      listen(this.body, 'click', event => this.clicked(event)),
      listen(this.body, 'dblclick', event => this.doubleClicked(event))
    ];
  }

  get active(): I | null {
    return this.items[this.at] ?? null;
  }

  /** Show other items; the one that was active stays so if it is among them. */
  show(items: readonly I[], active: string | null): void {
    const known = this.items[this.at];
    this.items = items;
    this.at =
      known && items[this.at]?.id === active
        ? this.at
        : active === null
          ? -1
          : items.findIndex(item => item.id === active);
    this.rows.length = items.length;
    this.render();
  }

  render(): void {
    this.rows.fill(index => element('div', { role: 'treeitem', id: `${this.prefix}-${index}` }));
    this.rows.elements.forEach((node, index) => this.draw(node, index));
    setAttribute(this.element, 'aria-activedescendant', this.rows.elements.get(this.at)?.id);
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  private draw(node: HTMLElement, index: number): void {
    const item = this.items[index] as I;
    const stamp = `${item.id}\n${item.level} ${item.open} ${item.place} ${item.siblings}\n${item.stamp}`;
    if (this.stamps.get(node) !== stamp) {
      this.stamps.set(node, stamp);
      this.fill(node, item);
    }
    node.classList.toggle('pnb-active', index === this.at);
    setAttribute(node, 'aria-selected', String(index === this.at));
  }

  private fill(node: HTMLElement, item: I): void {
    node.className = 'pnb-item';
    node.style.setProperty('--pnb-level', String(Math.min(item.level, DEEPEST_INDENT) - 1));
    setAttribute(node, 'aria-level', item.level);
    setAttribute(node, 'aria-posinset', item.place);
    setAttribute(node, 'aria-setsize', item.siblings);
    setAttribute(node, 'aria-expanded', item.open === null ? null : String(item.open));
    node.replaceChildren(...this.options.draw(item));
  }

  private focused(): void {
    if (this.at < 0 && this.items.length > 0) {
      this.move(this.rows.firstWhole);
    }
  }

  private move(index: number): void {
    const item = this.items[index];
    if (!item) {
      return;
    }
    this.at = index;
    this.rows.bring(index);
    this.render();
    this.options.activated(item);
  }

  private keydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this.moves(event.key) || this.options.key?.(event, this.active) || this.finds(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private moves(key: string): boolean {
    const item = this.active;
    const place = this.rows.beside(key, this.at);
    if (place !== null) {
      this.move(place);
      return true;
    }
    if (!item) {
      return false;
    }
    if (key === 'ArrowRight') {
      this.enter(item);
    } else if (key === 'ArrowLeft') {
      this.leave(item);
    } else if (key === 'Enter' || key === ' ') {
      this.open(item);
    } else {
      return false;
    }
    return true;
  }

  /** Open an item, or go to the first within it. */
  private enter(item: I): void {
    if (item.open === false) {
      this.options.toggled(item, true);
    } else if (item.open && (this.items[this.at + 1]?.level ?? 0) > item.level) {
      this.move(this.at + 1);
    }
  }

  /** Close an item, or go to the one that it is within. */
  private leave(item: I): void {
    if (item.open) {
      this.options.toggled(item, false);
      return;
    }
    let index = this.at - 1;
    while (index >= 0 && (this.items[index]?.level ?? 0) >= item.level) {
      index -= 1;
    }
    this.move(index);
  }

  private open(item: I): void {
    if (item.open === null) {
      this.options.chosen(item);
    } else {
      this.options.toggled(item, !item.open);
    }
  }

  /** Go to the next item whose label begins with a letter. */
  private finds(key: string): boolean {
    if ([...key].length !== 1) {
      return false;
    }
    const letter = key.toLowerCase();
    for (let step = 1; step <= this.items.length; step += 1) {
      const index = (this.at + step) % this.items.length;
      if (this.items[index]?.label.toLowerCase().startsWith(letter)) {
        this.move(index);
        return true;
      }
    }
    return false;
  }

  private clicked(event: MouseEvent): void {
    const index = this.rows.rowAt(event.target);
    const item = this.items[index];
    if (!item || (event.target as Element).closest('button')) {
      return;
    }
    this.move(index);
    if (item.open !== null && (item.folder || (event.target as Element).closest('.pnb-item-toggle'))) {
      this.options.toggled(item, !item.open);
    }
  }

  private doubleClicked(event: MouseEvent): void {
    const item = this.items[this.rows.rowAt(event.target)];
    if (item && !item.folder && !(event.target as Element).closest('button, .pnb-item-toggle')) {
      this.open(item);
    }
  }
}
