/** Levels of logs in shape, word and colour. */

import { element } from './dom';
import { NEAR, OVER } from './outcome';

const LOUD = new Set(['warning', 'error', 'critical']);

/** Whether it should be seen without being looked for. */
export function isLoud(level: string): boolean {
  return LOUD.has(level);
}

export function levelElement(level: string): HTMLElement {
  const shape = element('i', { class: 'pnb-ex-shape', 'aria-hidden': 'true' }, levelShape(level));
  return element('span', { class: levelClass(level) }, shape, level);
}

export function levelShape(level: string): string {
  return level === 'warning' ? NEAR : isLoud(level) ? OVER : '≡';
}

/** The class of its colour; with `-row` behind it that of a row. */
export function levelClass(level: string): string {
  return level === 'warning' ? 'pnb-ex-log-warning' : isLoud(level) ? 'pnb-ex-log-error' : 'pnb-ex-log';
}
