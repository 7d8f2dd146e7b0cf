/** The history of a Store as a slider: from before the first write to now. */

import { element, listen, setAttribute, svgElement, uniqueId } from './dom';
import type { ChangeKind, Step } from './history';
import { authorElement, byWhom, changeElements, changeWords } from './storewords';
import type { Author } from './storewords';

/** Where the slider stands, in words. */
export interface Moment {
  /** Steps from 1; 0: before the first write. */
  step: number;
  steps: number;
  /** Whether it goes along with what is written. */
  now: boolean;
  /** Who made the last step; null before the first write. */
  author: Author | null;
  /** When, as people read it. */
  when: string;
  /** How many changes of each kind it was. */
  changes: ReadonlyMap<ChangeKind, number>;
  /** What else is to be known, such as that the selected execution wrote nothing. */
  remark: string;
}

const BEGINNING = 'Before the first write';
const BY_HAND = 'a write by hand';
const BINS = 240;
const HEIGHT = 18;
/** Of the width. */
const WIDEST = 0.006;

/** The slider, the words below it and the writes above it. */
export class TimeBar {
  readonly element: HTMLElement;
  private readonly captionId = uniqueId('moment');
  private readonly slider = element('input', {
    type: 'range',
    class: 'pnb-time-slider',
    min: 0,
    step: 1,
    'aria-label': 'Point in the history of the Store',
    'aria-describedby': this.captionId
  });
  private readonly strip = svgElement('svg', {
    class: 'pnb-time-strip',
    height: HEIGHT,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true'
  });
  private readonly caption = element('p', { class: 'pnb-time-caption', id: this.captionId });
  private readonly before = element(
    'button',
    { type: 'button', 'aria-label': 'One step back', title: 'One step back' },
    '‹'
  );
  private readonly after = element(
    'button',
    { type: 'button', 'aria-label': 'One step on', title: 'One step on' },
    '›'
  );
  private readonly now = element('button', { type: 'button' }, 'now');
  private readonly undo: (() => void)[];
  private moment: Moment | null = null;
  private said = '';

  /**
   * @param go Goes to a step; null: to now, and along with it.
   * @param select Selects an attempt.
   */
  constructor(
    private readonly go: (step: number | null) => void,
    private readonly select: (attempt: number) => void
  ) {
    const track = element('div', { class: 'pnb-time-track' }, this.strip, this.slider);
    this.element = element(
      'div',
      { class: 'pnb-time' },
      element('div', { class: 'pnb-time-row' }, this.before, track, this.after, this.now),
      this.caption
    );
    this.undo = [
      listen(this.slider, 'input', () => this.slid()),
      listen(this.before, 'click', () => this.step(-1)),
      listen(this.after, 'click', () => this.step(1)),
      listen(this.now, 'click', () => this.go(null))
    ];
  }

  /** Show where it stands. */
  draw(moment: Moment, steps: readonly Step[]): void {
    const grown = this.moment?.steps !== moment.steps || this.strip.childElementCount === 0;
    this.moment = moment;
    setAttribute(this.slider, 'max', moment.steps);
    if (this.slider.value !== String(moment.step)) {
      this.slider.value = String(moment.step);
    }
    setAttribute(this.slider, 'aria-valuetext', this.words(moment));
    this.before.disabled = moment.step <= 0;
    this.after.disabled = moment.step >= moment.steps;
    this.now.disabled = moment.now;
    setAttribute(this.now, 'aria-pressed', String(moment.now));
    this.say(moment);
    if (grown) {
      this.drawStrip(steps);
    }
    this.markStrip(moment);
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  private slid(): void {
    const step = Number(this.slider.value);
    this.go(step >= (this.moment?.steps ?? 0) ? null : step);
  }

  private step(by: number): void {
    const { step, steps } = this.moment ?? { step: 0, steps: 0 };
    const next = Math.max(0, step + by);
    this.go(next >= steps ? null : next);
  }

  private words({ step, steps, now, author, when, changes }: Moment): string {
    const where =
      author === null
        ? BEGINNING
        : now
          ? `Now, last written ${byWhom(author)}`
          : `After ${author.name ?? BY_HAND}`;
    return [where, `step ${step} of ${steps}`, when, ...changeWords(changes)].filter(Boolean).join(', ');
  }

  private say(moment: Moment): void {
    const words = `${this.words(moment)} ${moment.author?.attempt} ${moment.remark}`;
    if (words === this.said) {
      return;
    }
    this.said = words;
    const { step, steps, now, author, when, changes, remark } = moment;
    const lead = author === null ? BEGINNING : now ? 'Now' : 'After ';
    const between =
      author === null || !now ? null : author.name === null ? ', last written ' : ', last written by ';
    const name = author === null ? null : this.name(author, now);
    this.caption.replaceChildren(
      element('span', {}, element('b', {}, lead), between, name, author && when && `, ${when}`),
      ...changeElements(changes),
      element('span', { class: 'pnb-time-place' }, `${step} of ${steps}`)
    );
    if (remark) {
      this.caption.append(element('span', { class: 'pnb-time-remark' }, remark));
    }
  }

  private name(author: Author, now: boolean): HTMLElement {
    return author.name === null && !now ? element('bdi', {}, BY_HAND) : authorElement(author, this.select);
  }

  /** How much was written when: one bar a step, or where there are many, for several. */
  private drawStrip(steps: readonly Step[]): void {
    const bins = Math.min(BINS, steps.length);
    const totals = new Array<number>(bins).fill(0);
    const byHand = new Array<boolean>(bins).fill(false);
    steps.forEach((step, index) => {
      const bin = Math.floor((index * bins) / steps.length);
      totals[bin] = (totals[bin] ?? 0) + step.last - step.first + 1;
      byHand[bin] ||= step.by === null;
    });
    const most = Math.log2(1 + Math.max(1, ...totals));
    const all = Math.max(1, steps.length);
    const each = all / Math.max(1, bins);
    const width = Math.min(0.7 * each, all * WIDEST);
    setAttribute(this.strip, 'viewBox', `0 0 ${all} ${HEIGHT}`);
    this.strip.replaceChildren(
      ...totals.map((total, bin) => {
        const height = total === 0 ? 0 : 3 + ((HEIGHT - 4) * Math.log2(1 + total)) / most;
        return svgElement('rect', {
          class: byHand[bin] ? 'pnb-time-hand' : 'pnb-time-write',
          // Where the slider stands after it.
          x: (bin + 1) * each - width / 2,
          y: HEIGHT - height,
          width,
          height
        });
      })
    );
  }

  private markStrip({ step, steps }: Moment): void {
    const bins = this.strip.childElementCount;
    const at = Math.floor(((step - 1) * bins) / Math.max(1, steps));
    [...this.strip.children].forEach((bar, bin) => {
      bar.classList.toggle('pnb-time-past', bin <= at);
      bar.classList.toggle('pnb-time-here', bin === at && step > 0);
    });
  }
}
