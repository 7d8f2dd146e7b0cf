/** Buttons that say what to show: a toolbar of one tab stop, with arrow keys within. */

import { element, listen } from './dom';
import { clamp } from './scale';

export class Chips {
  readonly element = element('div', { class: 'pnb-ex-chips', role: 'toolbar', 'aria-label': 'Show only' });
  private readonly undo: () => void;
  private chips: HTMLButtonElement[] = [];
  private at = 0;

  constructor() {
    this.undo = listen(this.element, 'keydown', event => this.move(event));
  }

  /** Show other buttons; the one in the place of the one that had the focus has it. */
  fill(chips: HTMLButtonElement[]): void {
    const focused = this.element.contains(document.activeElement);
    this.chips = chips;
    this.element.replaceChildren(...chips);
    this.goTo(this.at);
    if (focused) {
      chips[this.at]?.focus();
    }
  }

  dispose(): void {
    this.undo();
  }

  private move(event: KeyboardEvent): void {
    const last = this.chips.length - 1;
    const next = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, Home: 0, End: last }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.goTo(next);
      this.chips[this.at]?.focus();
    }
  }

  private goTo(at: number): void {
    this.at = clamp(at, 0, this.chips.length - 1);
    this.chips.forEach((chip, index) => (chip.tabIndex = index === this.at ? 0 : -1));
  }

  /** A button that is pressed or not. */
  make(pressed: boolean, choose: () => void, ...children: (Node | string)[]): HTMLButtonElement {
    const attributes = { type: 'button', class: 'pnb-ex-chip', 'aria-pressed': String(pressed) };
    const chip = element('button', attributes, ...children);
    chip.addEventListener('click', () => {
      this.goTo(this.chips.indexOf(chip));
      choose();
    });
    return chip;
  }
}
