/** What a saved picture leaves out and a kernel still has. */

import { button, element, setText } from './dom';
import type { Journal } from './journal';
import { count, counted } from './units';

/** Who can give what is left out. */
export interface Giver {
  readonly live: boolean;
  /** Whether all rows were asked for already. */
  readonly following: boolean;
  /** Whether it has shown the picture itself: only then is it asked without a click. */
  readonly hasShown: boolean;
  follow(): void;
}

/** Says how much of something is in the picture, and asks for the rest. */
export class Rest {
  readonly element = element('p', { class: 'pnb-rest', hidden: true });
  private readonly words = element('span');
  private readonly load = button('Load all from the kernel', () => this.ask());
  private asked = false;

  constructor(
    private readonly journal: Journal,
    private readonly giver: Giver
  ) {
    this.element.append(this.words, ' ', this.load);
  }

  /** Show what is missing of one of the two. */
  show(of: 'attempts' | 'writes'): void {
    const { journal, giver } = this;
    const [here, missing] =
      of === 'writes'
        ? [journal.writes.length, journal.writesLeftOut]
        : [journal.length, journal.leftOut];
    const waits = missing > 0 && !giver.following;
    if (waits && giver.live && giver.hasShown) {
      this.ask();
      return;
    }
    const isGone = this.asked && !giver.live;
    this.element.hidden = missing === 0 || !(isGone || (waits && giver.live));
    this.load.hidden = isGone;
    const all =
      of === 'writes'
        ? counted(here + missing, 'write of the Store', 'writes of the Store')
        : counted(here + missing, 'attempt');
    const gone = isGone ? ' The kernel that ran it does not have the others any more: run the cell again.' : '';
    setText(this.words, `This saved picture has ${count(here)} of ${all}.${gone}`);
  }

  private ask(): void {
    this.asked = true;
    this.element.hidden = true;
    this.giver.follow();
  }
}
