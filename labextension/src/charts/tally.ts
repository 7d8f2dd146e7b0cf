/** What there is to say about a run, counted while it runs: the words of `plot_nb/view/digest.py`. */

import { word } from './columns';
import { line } from './text';
import { count, counted, percent } from './units';
import { KINDS } from './wire';
import type { Kind, ScheduledRows } from './wire';

/** What one attempt adds. */
export interface Counted {
  /** Of its execution. */
  number: number;
  spent: [Kind, number][];
  requests: number;
  near: boolean;
  again: boolean;
}

export interface Headline {
  executions: number;
  limit: number;
  most: { requests: number; label: string } | null;
  /** The line where the only execution failed. */
  lastLine: number | null;
}

/** Sums over attempts that can be counted out again when they change. */
export class Tally {
  /** Of the executions; an execution's is that of its last attempt. */
  readonly outcomes = new Map<string, number>();
  private requests = 0;
  private retried = 0;
  private readonly spent = new Map<Kind, number>();
  /** How many attempts are near a limit, by number of the execution. */
  private readonly near = new Map<number, number>();

  count(sign: 1 | -1, attempt: Counted): void {
    this.requests += sign * attempt.requests;
    this.retried += attempt.again ? sign : 0;
    for (const [kind, number] of attempt.spent) {
      add(this.spent, kind, sign * number);
    }
    if (attempt.near) {
      add(this.near, attempt.number, sign);
    }
  }

  countOutcome(outcome: string, sign: 1 | -1): void {
    add(this.outcomes, outcome, sign);
  }

  /** Requests by kind, in the order of the bar's parts. */
  totals(): [Kind, number][] {
    return KINDS.map((kind): [Kind, number] => [kind, this.spent.get(kind) ?? 0]).filter(([, number]) => number);
  }

  headline(said: Headline): string {
    const totals = `${counted(said.executions, 'execution')}, ${counted(this.requests, 'request')}`;
    const head = `${totals}: ${outcomesOf(this.outcomes, said)}.`;
    if (!said.most?.requests || said.executions <= 1) {
      return head;
    }
    const { requests, label } = said.most;
    return (
      `${head} Most requests in one execution: ${count(requests)} of ${count(said.limit)}` +
      ` (${percent(requests, said.limit)}), by ${label}.`
    );
  }

  remarks(scheduled: ScheduledRows): string[] {
    const found: string[] = [];
    const near = this.near.size;
    if (near) {
      found.push(`${counted(near, 'execution')} ${was(near)} at 80% of a limit or more.`);
    }
    if (this.retried) {
      found.push(`${counted(this.retried, 'attempt')} failed and ${was(this.retried)} tried again.`);
    }
    if (scheduled.total) {
      found.push(`Waiting to run: ${waiting(scheduled)}.`);
    }
    return found;
  }
}

function outcomesOf(outcomes: ReadonlyMap<string, number>, said: Headline): string {
  if (outcomes.size === 1 && outcomes.has('ok')) {
    return said.executions > 1 ? 'all ok' : 'ok';
  }
  if (said.executions === 1) {
    const [outcome = ''] = outcomes.keys();
    return outcome + (said.lastLine === null ? '' : ` at line ${said.lastLine}`);
  }
  return [...outcomes]
    .sort(([one, some], [other, more]) => (one === 'ok' ? -1 : other === 'ok' ? 1 : more - some || compare(one, other)))
    .map(([outcome, number]) => `${count(number)} ${outcome}`)
    .join(', ');
}

/** `25 sync_page, 1 start_sync`. */
function waiting(scheduled: ScheduledRows): string {
  const counts = new Map<string, number>();
  scheduled.execution.forEach((_, row) => add(counts, line(word(scheduled.method, row), 60), 1));
  const methods = [...counts].sort(([, some], [, more]) => more - some);
  const shown = methods.slice(0, METHODS).map(([method, number]) => `${count(number)} ${method}`);
  const others = methods.slice(METHODS).length;
  const unseen = scheduled.total - scheduled.execution.length;
  return (
    shown.join(', ') +
    (others > 0 ? ` and ${counted(others, 'more method', 'more methods')}` : '') +
    (unseen > 0 ? ` and ${count(unseen)} later ones` : '')
  );
}

function add<K>(counts: Map<K, number>, name: K, number: number): void {
  const sum = (counts.get(name) ?? 0) + number;
  if (sum) {
    counts.set(name, sum);
  } else {
    counts.delete(name);
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function was(number: number): string {
  return number === 1 ? 'was' : 'were';
}

const METHODS = 5;
