/** What is said about a chain, beside what is drawn. */

import type { Table } from './chart';
import { element } from './dom';
import type { Attempt, Journal } from './journal';
import type { Layout } from './layout';
import type { Scene } from './scene';
import { count, duration } from './units';

export const CHAIN = 'Chain';

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
  return [
    ['set off by', `${journal.methodAt(attempt.parentIndex)} #${journal.numberAt(attempt.parentIndex)}`]
  ];
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

/** A row for each attempt. */
export function chainTable(journal: Journal): Table {
  const rows = Array.from({ length: journal.length }, (_, index) => {
    const attempt = journal.attempt(index);
    const cause = attempt.parentIndex < 0 ? null : journal.numberAt(attempt.parentIndex);
    const named = [attempt.number, attempt.attempt, attempt.twist, attempt.method, attempt.cause, cause];
    return [
      ...named,
      attempt.outcome,
      attempt.queued,
      attempt.started,
      attempt.ended,
      attempt.requests,
      attempt.error
    ];
  });
  return {
    name: CHAIN,
    columns: [
      ...['number', 'attempt', 'twist', 'method', 'cause', 'set_off_by', 'outcome'],
      ...['queued_ms', 'started_ms', 'ended_ms', 'requests', 'error']
    ],
    rows
  };
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

  tell(journal: Journal, scene: Scene, { ahead: { total }, failures: { length: failures } }: Layout): void {
    const strip = Object.values(scene.gauges).some(path => path !== '');
    const near = scene.marks.some(mark => mark.shape === 'near');
    const parts: [string, string, boolean][] = [
      ['pnb-chain-key-ok', 'ran', journal.length > 0],
      ['pnb-chain-key-running', 'runs', journal.running],
      ['pnb-chain-key-wait', 'waited', scene.lines.arrow !== '' || scene.lines.wait !== ''],
      ['pnb-chain-key-strip', `requests (whole bar: ${count(journal.limits.requests)})`, strip],
      ['pnb-chain-key-near', 'near a limit', near],
      ['pnb-chain-key-failed', `${count(failures)} failed`, failures > 0],
      ['pnb-chain-key-heap', 'many, drawn as one', scene.heaped > 0],
      ['pnb-chain-key-ahead', `${count(total)} ahead`, total > 0]
    ];
    const shown = parts.filter(([, , there]) => there);
    const left = journal.leftOut > 0 ? `${count(journal.leftOut)} more are not in this saved picture.` : '';
    const told = [...shown.map(([, words]) => words), left].join('|');
    if (told !== this.told) {
      this.told = told;
      this.element.replaceChildren(
        ...shown.map(([key, words]) =>
          element('span', {}, element('i', { class: key, 'aria-hidden': 'true' }), words)
        ),
        ...(left === '' ? [] : [element('span', {}, left)])
      );
    }
  }
}
