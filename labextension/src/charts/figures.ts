/** What there is to say about one attempt, and about several. */

import type { Attempt, Journal, Limited } from './journal';
import { mark, outcomeWords, OVER } from './outcome';
import { count, counted, duration, memory, NOTHING, percent } from './units';
import type { Limits } from './wire';

type Figure = readonly [name: string, told: string];

/** `✕ over_requests line 14`. */
export function told(attempt: Attempt): string {
  return outcomeWords(attempt).join('');
}

/** All figures of an attempt, by name. */
export function figures(attempt: Attempt, limits: Limits): Figure[] {
  const [requests, ...others] = measures(attempt, limits);
  const found: Figure[] = [['outcome', told(attempt)]];
  if (attempt.error) {
    found.push(['error', attempt.error]);
  }
  found.push(...[requests].flatMap(measure => (measure ? [marked(attempt, measure)] : [])));
  found.push(...attempt.spent.map(([kind, number]): Figure => [`  ${kind}`, count(number)]));
  found.push(...others.map(measure => marked(attempt, measure)));
  if (attempt.ended !== null) {
    found.push(['took', `${mark(attempt, 'time')}${duration(attempt.ended - attempt.started)}`]);
  }
  found.push(['started', `+${duration(attempt.started)}`]);
  if (attempt.queued !== null && attempt.queued < attempt.started) {
    found.push(['waited', duration(attempt.started - attempt.queued)]);
  }
  return found;
}

/** An attempt as a sentence, for who does not see it. */
export function spoken(attempt: Attempt, limits: Limits): string {
  const line = attempt.failed && attempt.line !== null ? ` at line ${attempt.line}` : '';
  const near = attempt.near.length ? `, near the limit of ${attempt.near.join(' and ')}` : '';
  const kinds = attempt.spent.map(([kind, number]) => `${kind} ${count(number)}`).join(', ');
  const parts = measures(attempt, limits).map(({ name, figure }) => `${name} ${figure}`);
  const head = `${attempt.label} ${attempt.method}, ${attempt.outcome}${line}${near}`;
  return `${head}: ${parts.shift() ?? ''}${kinds ? `: ${kinds}` : ''}; ${parts.join('; ')}`;
}

/** Several attempts, by their first and last: the most that one of them spent, and how many failed. */
export function several(journal: Journal, first: number, last: number, heaviest: number, failed: number): Figure[] {
  const from = `#${journal.numberAt(first)}`;
  const to = `#${journal.numberAt(last)}`;
  const { limits } = journal;
  const requests = journal.requestsAt(heaviest);
  return [
    ['attempts', first === last ? from : `${from} to ${to}`],
    [
      'most requests',
      `${count(requests)} of ${count(limits.requests)} (${percent(requests, limits.requests)}), by #${journal.numberAt(heaviest)}`
    ],
    ['failed', failed ? `${OVER} ${counted(failed, 'attempt')}` : 'none']
  ];
}

interface Measure {
  name: string;
  limited: Limited;
  figure: string;
}

function marked(attempt: Attempt, { name, limited, figure }: Measure): Figure {
  return [name, `${mark(attempt, limited)}${figure}`];
}

function measures(attempt: Attempt, limits: Limits): Measure[] {
  const { requests, cpu_ms, memory_peak } = attempt;
  const share = percent(requests, limits.requests);
  return [
    { name: 'requests', limited: 'requests', figure: `${count(requests)} of ${count(limits.requests)} (${share})` },
    {
      name: 'CPU',
      limited: 'cpu',
      figure: cpu_ms === null ? NOTHING : `${duration(cpu_ms)} of ${duration(1000 * limits.cpu)}`
    },
    {
      name: 'memory',
      limited: 'memory',
      figure: memory_peak === null ? NOTHING : `${memory(memory_peak)} of ${memory(limits.memory)}`
    }
  ];
}
