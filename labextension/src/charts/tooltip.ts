/** The figures of what is pointed at. */

import { element } from './dom';

const GAP = 12;

/** A box beside the pointer, or beside what has the focus. Its host is what it stays within, and is positioned. */
export class Tooltip {
  readonly element = element('div', { class: 'pnb-tooltip', hidden: true, 'aria-hidden': 'true' });

  constructor(private readonly host: HTMLElement) {
    host.append(this.element);
  }

  /**
   * Show it beside a place in the host.
   *
   * @param title What it is about: text, or an element with text.
   * @param rows Names and figures.
   * @param note What can be done, in small print.
   */
  show(x: number, y: number, title: string | Node, rows: readonly (readonly [string, string])[], note = ''): void {
    const list = element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
    this.element.replaceChildren(element('p', {}, title), list, ...(note === '' ? [] : [element('small', {}, note)]));
    this.element.hidden = false;
    const width = this.element.offsetWidth;
    const right = x + GAP + width <= this.host.clientWidth;
    const left = right ? x + GAP : Math.max(0, x - GAP - width);
    // Below what is pointed at, even where the host ends: above it would hide what comes before.
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(y + GAP)}px)`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
