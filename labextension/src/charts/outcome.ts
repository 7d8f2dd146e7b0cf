/** How an attempt ended, and which limit it went over or near: a shape and a word each, so that no colour is needed. */

import { element } from './dom';
import type { Attempt, Limited } from './journal';

export const OVER = '✕';
export const NEAR = '▲';
export const OK = '✓';
export const RUNNING = '▸';
export const HELD = 'Ⅱ';

const SHAPES: Record<string, string> = { ok: OK, running: RUNNING, cancelled: '○', suspended: HELD };

/** The class of an outcome's colour. */
export function outcomeClass(attempt: Pick<Attempt, 'outcome' | 'failed'>): string {
  return attempt.failed ? 'pnb-bad' : attempt.outcome === 'ok' ? 'pnb-ok' : 'pnb-running';
}

/** `✕ over_requests`, and ` line 14`, where it failed. */
export function outcomeWords(attempt: Attempt): [outcome: string, where: string] {
  const shape = SHAPES[attempt.outcome] ?? OVER;
  return [`${shape} ${attempt.outcome}`, attempt.failed && attempt.line !== null ? ` line ${attempt.line}` : ''];
}

/** The same, in its colour. */
export function outcomeElement(attempt: Attempt): HTMLElement {
  const [outcome, where] = outcomeWords(attempt);
  return element(
    'span',
    { class: 'pnb-outcome' },
    element('span', { class: outcomeClass(attempt) }, outcome),
    where
  );
}

/** The mark of a measure that is over or near its limit, and a space; empty for the others. */
export function mark(attempt: Attempt, name: Limited): string {
  return attempt.over === name ? `${OVER} ` : attempt.near.includes(name) ? `${NEAR} ` : '';
}
