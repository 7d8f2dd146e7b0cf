/** What stands above a Store: which twist, the search, and what is shown. */

import { button, element, setText } from './dom';
import type { Found } from './storeitems';
import { line } from './text';
import { count, counted } from './units';

export interface BarActions {
  /** Something else is to be shown. */
  changed(): void;
  chose(twist: string): void;
  add(): void;
  goToSelected(): void;
  /** From the search on to what was found. */
  down(): void;
}

export interface BarState {
  /** The selected execution, where the slider is not there; null where it need not go anywhere. */
  selected: string | null;
  canAdd: boolean;
  isNow: boolean;
}

export class StoreBar {
  readonly element: HTMLElement;
  private readonly twists = element('select', { class: 'pnb-store-twist', 'aria-label': 'Twist' });
  private readonly search = element('input', {
    type: 'search',
    class: 'pnb-store-search',
    placeholder: 'Search keys and values',
    'aria-label': 'Search keys and values',
    autocomplete: 'off',
    spellcheck: 'false'
  });
  private readonly matches = element('span', { class: 'pnb-store-matches', role: 'status' });
  private readonly changesBox = new Box('only changes');
  private readonly reservedBox = new Box('locks, drains');
  private readonly followBox = new Box('follow selection', true);
  private readonly adding = button('Add a value', () => this.actions.add());
  private readonly going = button('', () => this.actions.goToSelected());

  constructor(private readonly actions: BarActions) {
    this.element = element(
      'div',
      { class: 'pnb-store-bar' },
      this.twists,
      this.search,
      this.matches,
      this.changesBox.label,
      this.reservedBox.label,
      element('span', { class: 'pnb-store-space' }),
      this.going,
      this.followBox.label,
      this.adding
    );
    this.twists.addEventListener('change', () => actions.chose(this.twists.value));
    this.search.addEventListener('input', () => actions.changed());
    this.search.addEventListener('keydown', event => this.pressed(event));
    [this.changesBox, this.reservedBox].forEach(({ input }) =>
      input.addEventListener('change', () => actions.changed())
    );
    this.followBox.input.addEventListener('change', () => this.follows && actions.goToSelected());
  }

  get query(): string {
    return this.search.value.trim();
  }

  get onlyChanges(): boolean {
    return this.changesBox.input.checked;
  }

  /** Whether locks and drains are shown. */
  get reserved(): boolean {
    return this.reservedBox.input.checked;
  }

  /** Whether the slider goes where the selection goes. */
  get follows(): boolean {
    return this.followBox.input.checked;
  }

  /** The twists to choose from. */
  offer(names: readonly string[], chosen: string | null): void {
    const shown = [...this.twists.options].map(option => option.value);
    if (shown.length !== names.length || shown.some((name, index) => name !== names[index])) {
      this.twists.replaceChildren(...names.map(name => element('option', { value: name }, line(name, 80))));
    }
    this.twists.value = chosen ?? '';
    this.twists.hidden = names.length < 2;
  }

  draw(found: Found, { selected, canAdd, isNow }: BarState): void {
    this.matches.hidden = this.query === '';
    const missed = found.unsearched > 0 ? `; ${counted(found.unsearched, 'long value')} not searched` : '';
    setText(
      this.matches,
      this.query && `${count(found.entries.size)} of ${counted(found.keys, 'key')}${missed}`
    );
    this.reservedBox.label.hidden = found.reserved === 0;
    this.going.hidden = selected === null;
    setText(this.going, `Go to ${selected ?? ''}`);
    this.adding.hidden = !canAdd;
    this.adding.disabled = !isNow;
    this.adding.title = isNow ? '' : 'Go to now to change values';
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this.search.value !== '') {
      this.search.value = '';
      this.actions.changed();
    } else if (event.key === 'ArrowDown') {
      this.actions.down();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

class Box {
  readonly input = element('input', { type: 'checkbox' });
  readonly label: HTMLElement;

  constructor(name: string, checked = false) {
    this.input.checked = checked;
    this.label = element('label', { class: 'pnb-check' }, this.input, name);
  }
}
