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
  cpu_ms: number;
  memory: number;
  near: boolean;
  again: boolean;
  /** Null where a later attempt speaks for the execution. */
  outcome: string | null;
}

export interface Headline {
  executions: number;
  requests: number;
  outcomes: Map<string, number>;
  limit: number;
  most: { requests: number; label: string } | null;
  /** The line where the only execution failed. */
  lastLine: number | null;
}

/** Sums over attempts that can be counted out again when they change. */
export class Tally {
  requests = 0;
  cpu_ms = 0;
  /** The largest memory peak that was seen. */
  memory = 0;
  /** Executions that are near a limit. */
  near = 0;
  /** Attempts after a failed one. */
  retried = 0;
  /** Of the executions; an execution's is that of its last attempt. */
  readonly outcomes = new Map<string, number>();

  private readonly _spent = new Map<Kind, number>();
  private readonly _nearAttempts = new Map<number, number>();

  count(sign: 1 | -1, attempt: Counted): void {
    this.requests += sign * attempt.requests;
    this.cpu_ms += sign * attempt.cpu_ms;
    this.memory = Math.max(this.memory, attempt.memory);
    this.retried += attempt.again ? sign : 0;
    for (const [kind, number] of attempt.spent) {
      this._spent.set(kind, (this._spent.get(kind) ?? 0) + sign * number);
    }
    if (attempt.outcome !== null) {
      add(this.outcomes, attempt.outcome, sign);
    }
    if (attempt.near) {
      add(this._nearAttempts, attempt.number, sign);
      this.near = this._nearAttempts.size;
    }
  }

  /** A later attempt speaks for the execution now. */
  replaceLast(outcome: string): void {
    add(this.outcomes, outcome, -1);
  }

  /** Requests by kind, in the order of the bar's parts. */
  totals(): [Kind, number][] {
    return KINDS.map((kind): [Kind, number] => [kind, this._spent.get(kind) ?? 0]).filter(([, number]) => number);
  }

  headline(said: Headline): string {
    const totals = `${counted(said.executions, 'execution')}, ${counted(said.requests, 'request')}`;
    const head = `${totals}: ${outcomesOf(said)}.`;
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
    if (this.near) {
      found.push(`${counted(this.near, 'execution')} ${was(this.near)} at 80% of a limit or more.`);
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

function outcomesOf(said: Headline): string {
  const { outcomes } = said;
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
