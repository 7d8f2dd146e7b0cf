/** What an attempt says of itself: its names, its figures against their limits, its error, arguments and result. */

import type { Context } from './chart';
import { button, element } from './dom';
import type { Attempt, Journal, Limited } from './journal';
import { NEAR, outcomeElement, OVER } from './outcome';
import { spentBar } from './spentbar';
import { block } from './text';
import { count, counted, duration, memory, NOTHING, percent } from './units';
import type { Detail, Kind } from './wire';

const TEXT_LIMIT = 20_000;
const SHORT_TEXT = 160;
const LONG_BLOCK = 1200;
const LONG_LINES = 14;
const ATTEMPTS = 8;

export class AttemptHead {
  readonly element = element('div', { class: 'pnb-ex-execution-head' });
  readonly texts = element('div', { class: 'pnb-ex-texts' });
  private drawn = '';

  constructor(private readonly context: Pick<Context, 'journal' | 'selection'>) {}

  /** Say how it stands; what has not changed stays, with the focus that may be in it. */
  draw(attempt: Attempt): void {
    const { journal } = this.context;
    const tries = attemptsOf(journal, attempt);
    const wanted = JSON.stringify([attempt, tries, journal.limits, journal.running]);
    if (wanted === this.drawn) {
      return;
    }
    this.drawn = wanted;
    const focused = this.element.contains(document.activeElement)
      ? document.activeElement?.getAttribute('data-id')
      : null;
    const title = element(
      'h3',
      { class: 'pnb-ex-execution-title' },
      element('b', {}, `#${attempt.number} `),
      element('bdi', {}, attempt.method),
      ' ',
      outcomeElement(attempt)
    );
    const about = element(
      'p',
      { class: 'pnb-ex-execution-about' },
      element('bdi', {}, attempt.twist),
      ` version ${attempt.version}, ${attempt.cause}`
    );
    if (attempt.parentIndex >= 0 && attempt.attempt === 1) {
      const parent = journal.attempt(attempt.parentIndex);
      about.append(', queued by ', this.link(parent, `${parent.label} ${parent.method}`));
    }
    if (tries.length > 1) {
      about.append(', attempts ');
      tries.forEach(each =>
        about.append(this.link(each, `${each.attempt} ${each.outcome}`, each.id === attempt.id), ' ')
      );
    }
    this.element.replaceChildren(title, about, this.figures(attempt));
    if (focused) {
      [...this.element.querySelectorAll('button')]
        .find(each => each.getAttribute('data-id') === focused)
        ?.focus();
    }
  }

  private link(attempt: Attempt, text: string, current = false): HTMLElement {
    return button(element('bdi', {}, text), () => this.context.selection.set(attempt.id), {
      class: 'pnb-ex-link',
      'data-id': attempt.id,
      'aria-current': current ? 'true' : null
    });
  }

  private figures(attempt: Attempt): HTMLElement {
    const { limits } = this.context.journal;
    const took = attempt.ended === null ? null : attempt.ended - attempt.started;
    const list = element('dl', { class: 'pnb-ex-figures' });
    const figure = (
      name: Limited,
      title: string,
      used: number | null,
      limit: number,
      say: (figure: number) => string
    ): void => {
      const state = attempt.over === name ? 'over' : attempt.near.includes(name) ? 'near' : '';
      const value = element('dd', {});
      if (state) {
        value.append(
          element('span', { class: state === 'over' ? 'pnb-bad' : 'pnb-near' }, `${state === 'over' ? OVER : NEAR} ${state} `)
        );
      }
      value.append(element('b', {}, used === null ? NOTHING : say(used)), ` of ${say(limit)}`);
      if (used !== null) {
        value.append(element('span', { class: 'pnb-quiet' }, ` ${percent(used, limit)}`));
      }
      const spent: [Kind | null, number][] = name === 'requests' ? attempt.spent : [[null, used ?? 0]];
      value.append(spentBar(spent, limit));
      list.append(element('div', {}, element('dt', {}, title), value));
    };
    figure('requests', 'Requests', attempt.requests, limits.requests, count);
    figure('cpu', 'CPU', attempt.cpu_ms, limits.cpu * 1000, duration);
    figure('memory', 'Memory peak', attempt.memory_peak, limits.memory, memory);
    figure('time', attempt.ended === null ? 'Running' : 'Took', took, limits.time * 1000, duration);
    const begin = `+${duration(attempt.started)}`;
    const waited =
      attempt.queued === null
        ? ''
        : `queued +${duration(attempt.queued)}, waited ${duration(attempt.started - attempt.queued)}`;
    list.append(
      element(
        'div',
        {},
        element('dt', {}, 'Started'),
        element(
          'dd',
          {},
          element('b', {}, begin),
          element('span', { class: 'pnb-quiet pnb-ex-below' }, waited)
        )
      )
    );
    return list;
  }

  /** Its error, what it was given and what it returned. */
  drawTexts(attempt: Attempt, detail: Detail | undefined): void {
    const parts: HTMLElement[] = [];
    const traceback = block(detail?.traceback, TEXT_LIMIT).replace(/^\n+|\n+$/g, '');
    const error = attempt.failed && !isTold(attempt.error, traceback) ? attempt.error : '';
    if (error !== '' || (attempt.failed && traceback !== '')) {
      const note = element('div', { class: 'pnb-ex-note-bad' });
      if (error !== '') {
        note.append(element('p', { class: 'pnb-bad' }, `${OVER} `, element('bdi', {}, error)));
      }
      if (traceback !== '') {
        note.append(preformatted(traceback, 'Traceback'));
      }
      parts.push(note);
    }
    const given = block(detail?.arguments, TEXT_LIMIT);
    const result = block(detail?.result, TEXT_LIMIT);
    if (given !== '') {
      parts.push(named('Arguments', given));
    }
    if (result !== '' && result !== 'None') {
      parts.push(named('Result', result));
    }
    this.texts.replaceChildren(...parts);
  }
}

/** Whether a traceback ends with an error, of which only the beginning may be there. */
function isTold(error: string, traceback: string): boolean {
  const beginning = error.replace(/… \([\d,]+ characters\)$|…$/, '').trim();
  return traceback.replace(/\s+/g, ' ').includes(beginning);
}

function attemptsOf(journal: Journal, attempt: Attempt): Attempt[] {
  const found: Attempt[] = [];
  let index = journal.lastAttemptOf(attempt.execution);
  while (index >= 0 && found.length < ATTEMPTS) {
    found.unshift(journal.attempt(index));
    index = journal.previousOf(index);
  }
  return found;
}

function preformatted(text: string, name: string): HTMLElement {
  const isLong = text.length > LONG_BLOCK || text.split('\n').length > LONG_LINES;
  return element('pre', isLong ? { tabindex: 0, role: 'region', 'aria-label': name } : {}, text);
}

/** A short text beside its name, a long one folded. */
function named(name: string, text: string): HTMLElement {
  if (text.length <= SHORT_TEXT && !text.includes('\n')) {
    return element(
      'p',
      { class: 'pnb-ex-named' },
      element('span', { class: 'pnb-quiet' }, name),
      ' ',
      element('code', {}, element('bdi', {}, text))
    );
  }
  return element(
    'details',
    { class: 'pnb-ex-named' },
    element('summary', {}, `${name}, ${counted(text.length, 'character')}`),
    preformatted(text, name)
  );
}
