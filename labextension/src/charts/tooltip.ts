/** The figures of what is pointed at. */

import { element } from './dom';

const GAP = 12;

/** A box beside the pointer, or beside what has the focus. Places are those of its host, which is positioned. */
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
    this.raise();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const host = this.host.getBoundingClientRect();
    const right = host.left + x + GAP + width <= window.innerWidth;
    const below = host.top + y + GAP + height <= window.innerHeight;
    // Beside what is pointed at, never over it.
    this.element.style.left = `${Math.max(0, Math.round(host.left + (right ? x + GAP : x - GAP - width)))}px`;
    this.element.style.top = `${Math.max(0, Math.round(host.top + (below ? y + GAP : y - GAP - height)))}px`;
  }

  hide(): void {
    if (this.raised) {
      this.element.hidePopover();
    }
    this.element.hidden = true;
  }

  private get raised(): boolean {
    return typeof this.element.showPopover === 'function' && this.element.matches(':popover-open');
  }

  /** Above all else on the page: a notebook's output would cut it off. */
  private raise(): void {
    if (typeof this.element.showPopover === 'function' && this.element.isConnected && !this.raised) {
      this.element.popover = 'manual';
      this.element.showPopover();
    }
  }
}
