/** The history of a Store as a slider: from before the first write to now. */

import { element, listen, setAttribute, svgElement, uniqueId } from './dom';
import type { Step } from './history';

/** Where the slider stands, in words. */
export interface Moment {
  /** Steps from 1; 0: before the first write. */
  step: number;
  steps: number;
  /** Whether it goes along with what is written. */
  now: boolean;
  /** `#12 sync_page`, or `by hand`; null before the first write. */
  by: string | null;
  /** The attempt that `by` names, which a click selects. */
  attempt: number | null;
  /** When, as people read it. */
  when: string;
  /** `+ 3 added`, one for each kind. */
  changes: string[];
  /** What else is to be known, such as that the selected execution wrote nothing. */
  remark: string;
}

const BINS = 240;
const HEIGHT = 18;

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
  private readonly before = element('button', { type: 'button', 'aria-label': 'One step back', title: 'One step back' }, '‹');
  private readonly after = element('button', { type: 'button', 'aria-label': 'One step on', title: 'One step on' }, '›');
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

  private words({ step, steps, now, by, when, changes }: Moment): string {
    const where = by === null ? 'Before the first write' : now ? `Now, last written by ${by}` : `After ${by}`;
    return [where, `step ${step} of ${steps}`, when, ...changes].filter(Boolean).join(', ');
  }

  private say(moment: Moment): void {
    const words = `${this.words(moment)} ${moment.attempt} ${moment.remark}`;
    if (words === this.said) {
      return;
    }
    this.said = words;
    const { step, steps, now, by, attempt, when, changes, remark } = moment;
    const lead = by === null ? 'Before the first write' : now ? 'Now; last written by ' : 'After ';
    const author = by === null ? null : this.author(by, attempt);
    const rest = by === null ? '' : `${when ? `, ${when}` : ''}`;
    this.caption.replaceChildren(
      element('span', {}, element('b', {}, lead), author, rest),
      ...changes.map(change => {
        const kind = KINDS[change.charAt(0)] ?? 'same';
        return element('span', { class: `pnb-change pnb-change-${kind}` }, change);
      }),
      element('span', { class: 'pnb-time-place' }, `${step} of ${steps}`)
    );
    if (remark) {
      this.caption.append(element('span', { class: 'pnb-time-remark' }, remark));
    }
  }

  private author(by: string, attempt: number | null): HTMLElement {
    if (attempt === null) {
      return element('bdi', {}, by);
    }
    const button = element('button', { type: 'button', class: 'pnb-author', title: `Select ${by}` }, element('bdi', {}, by));
    button.addEventListener('click', () => this.select(attempt));
    return button;
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
    setAttribute(this.strip, 'viewBox', `0 0 ${Math.max(1, steps.length)} ${HEIGHT}`);
    const width = steps.length / Math.max(1, bins);
    this.strip.replaceChildren(
      ...totals.map((total, bin) => {
        const height = total === 0 ? 0 : 3 + ((HEIGHT - 4) * Math.log2(1 + total)) / most;
        return svgElement('rect', {
          class: byHand[bin] ? 'pnb-time-hand' : 'pnb-time-write',
          // A step's bar ends where the slider stands after it.
          x: bin * width + width * 0.15,
          y: HEIGHT - height,
          width: width * 0.7,
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

const KINDS: Record<string, string> = { '+': 'added', '~': 'changed', '−': 'cleared', '=': 'same' };
