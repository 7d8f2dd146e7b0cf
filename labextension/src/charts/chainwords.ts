/** What is said about a chain, beside what is drawn. */

import { element } from './dom';
import type { Attempt, Journal } from './journal';
import type { Scene } from './scene';
import { count, duration } from './units';

type Figure = readonly [name: string, told: string];

/** What an attempt has to do with others. */
export function ties(attempt: Attempt, journal: Journal): Figure[] {
  const previous = journal.previousOf(attempt.index);
  if (previous >= 0) {
    const ended = journal.endedAt(previous);
    return ended === null ? [] : [['tried again', `after ${duration(attempt.started - ended)}`]];
  }
  if (attempt.parentIndex < 0) {
    return [['set off by', `a ${attempt.cause}`]];
  }
  return [['set off by', `${journal.methodAt(attempt.parentIndex)} #${journal.numberAt(attempt.parentIndex)}`]];
}

/** When it ran, for who does not see it. */
export function times(attempt: Attempt, journal: Journal): Figure[] {
  const length = duration((attempt.ended ?? journal.now) - attempt.started);
  const waited = attempt.queued === null ? 0 : attempt.started - attempt.queued;
  return [
    ['started at', duration(attempt.started)],
    ...(waited > 0 ? [['waited', duration(waited)] as const] : []),
    [attempt.ended === null ? 'has run for' : 'took', length]
  ];
}

/** All of it as a sentence. */
export function chainWords(journal: Journal): string {
  const { total } = journal.scheduled;
  const ahead = total > 0 ? ` ${count(total)} scheduled ahead of now.` : '';
  return `Chain of executions over time. ${journal.summary()}${ahead}`;
}

/** What the shapes mean, of those that are there. */
export class Legend {
  readonly element = element('p', { class: 'pnb-chain-legend' });
  private told = '';

  tell(journal: Journal, scene: Scene, failures: number): void {
    const { total } = journal.scheduled;
    const strip = Object.values(scene.gauges).some(path => path !== '');
    const near = scene.marks.some(mark => mark.shape === 'near');
    const parts: [string, string, boolean][] = [
      ['pnb-chain-key-ok', 'ran', true],
      ['pnb-chain-key-running', 'runs', journal.running],
      ['pnb-chain-key-wait', 'waited', scene.lines.arrow !== '' || scene.lines.wait !== ''],
      ['pnb-chain-key-strip', `requests; the limit of ${count(journal.limits.requests)} is the bar’s width`, strip],
      ['pnb-chain-key-near', 'near a limit', near],
      ['pnb-chain-key-failed', `${count(failures)} failed`, failures > 0],
      ['pnb-chain-key-heap', 'many, drawn as one', scene.heaped > 0],
      ['pnb-chain-key-ahead', `${count(total)} scheduled`, total > 0]
    ];
    const shown = parts.filter(([, , there]) => there);
    const left = journal.leftOut > 0 ? `${count(journal.leftOut)} more are not in this saved picture.` : '';
    const told = [...shown.map(([, words]) => words), left].join('|');
    if (told !== this.told) {
      this.told = told;
      this.element.replaceChildren(
        ...shown.map(([key, words]) => element('span', {}, element('i', { class: key, 'aria-hidden': 'true' }), words)),
        ...(left === '' ? [] : [element('span', {}, left)])
      );
    }
  }
}
