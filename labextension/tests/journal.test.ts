import { expect, test } from 'vitest';

import deltas from '../../tests/fixtures/pictures/deltas.json';
import runs from '../../tests/fixtures/runs.json';
import { Journal } from '../src/charts/journal';
import type { Kind, ProgressRows, Rows } from '../src/charts/wire';
import { chainOf, rowsOf, words } from './rows';
import type { Made } from './rows';

interface Told {
  label: string;
  failed: boolean;
  over: string | null;
  near: string[];
  cause: number;
  spent: [Kind, number][];
}

interface Run {
  attempts: Omit<Made, 'id'>[];
  headline: string;
  near: number;
  retried: number;
  told: Told[];
}

const RUNS = Object.entries(runs as unknown as Record<string, Run>);

const made = (run: Run): Made[] => run.attempts.map((attempt, place) => ({ ...attempt, id: 100 + place }));

function told(journal: Journal): Told[] {
  return Array.from({ length: journal.length }, (_, index) => {
    const { label, failed, over, near, parentIndex, spent } = journal.attempt(index);
    return { label, failed, over, near, cause: parentIndex, spent };
  });
}

/** Only the kinds that have a place of their own come over the wire; the rest is made up from the total. */
test.each(RUNS)('%s is summed up as in Python', (_, run) => {
  const journal = new Journal(rowsOf(made(run)));
  expect(journal.summary()).toBe(run.headline);
  expect(told(journal)).toEqual(run.told);
  const remarks = journal.remarks().join(' ');
  expect(remarks.includes('at 80% of a limit')).toBe(run.near > 0);
  expect(remarks.includes(`${run.near} execution`)).toBe(run.near > 0);
  expect(remarks.includes(`${run.retried} attempt`)).toBe(run.retried > 0);
});

test.each(RUNS)('%s is the same whether it came at once or while it ran', (_, run) => {
  const attempts = made(run);
  const journal = new Journal();
  for (const attempt of attempts) {
    const begun = { ...attempt, outcome: 'running', requests: 0, spent: {}, memory_peak: null, cpu_ms: null };
    journal.apply(rowsOf([{ ...begun, ended: null }]));
    // It grows past what it comes to, as it may when rows were counted twice.
    journal.apply(rowsOf([{ ...attempt, outcome: 'running', requests: (attempt.requests ?? 0) + 7 }]));
    journal.apply(rowsOf([attempt]));
  }
  expect(journal.summary()).toBe(run.headline);
  expect(told(journal)).toEqual(run.told);
  expect(journal.remarks()).toEqual(new Journal(rowsOf(attempts)).remarks());
  expect(journal.totals()).toEqual(new Journal(rowsOf(attempts)).totals());
  expect(journal.heaviest()).toBe(new Journal(rowsOf(attempts)).heaviest());
});

test('rows with a known id take the place of those before', () => {
  const journal = new Journal(rowsOf([{ id: 7, outcome: 'running', spent: { store: 2 } }, { id: 9 }]));
  expect(journal.unfinished()).toEqual([7]);
  const before = journal.version;
  journal.apply(rowsOf([{ id: 7, outcome: 'error', line: 4, spent: { store: 5 } }]));
  expect(journal.length).toBe(2);
  expect(journal.unfinished()).toEqual([]);
  expect(journal.attempt(0)).toMatchObject({ id: 7, outcome: 'error', line: 4, requests: 5, failed: true });
  expect([journal.changedAt(0) > before, journal.changedAt(1) > before]).toEqual([true, false]);
  expect([journal.failed, journal.firstFailure()]).toEqual([true, 0]);
});

test('the first failure is one for good, or else one that was made up for', () => {
  const attempts = [
    { id: 1, execution: 1, attempt: 1, outcome: 'error' },
    { id: 2, execution: 1, attempt: 2, outcome: 'ok' },
    { id: 3, execution: 2, attempt: 1, outcome: 'error' }
  ];
  expect(new Journal(rowsOf(attempts)).firstFailure()).toBe(2);
  expect(new Journal(rowsOf(attempts.slice(0, 2))).firstFailure()).toBe(0);
});

test('attempts at one execution share its number and follow each other', () => {
  const journal = new Journal(
    rowsOf([
      { id: 1, execution: 50 },
      { id: 2, execution: 51, parent: 50, outcome: 'error' },
      { id: 3, execution: 52, parent: 50 },
      { id: 4, execution: 51, parent: 50, attempt: 2 },
      { id: 5, execution: 53, parent: 51 }
    ])
  );
  expect(told(journal).map(({ label }) => label)).toEqual(['#1', '#2', '#3', '#2, attempt 2', '#4']);
  expect(told(journal).map(({ cause }) => cause)).toEqual([-1, 0, 0, 1, 3]);
  expect(journal.lastAttemptOf(51)).toBe(3);
  expect(journal.lastAttemptOf(99)).toBe(-1);
  expect(journal.previousOf(3)).toBe(1);
  expect(journal.childrenOf(50)).toEqual([1, 2]);
  expect(journal.childrenOf(53)).toEqual([]);
  expect([journal.indexOf(4), journal.indexOf(44)]).toEqual([3, -1]);
});

test('a parent may come after what it queued', () => {
  const journal = new Journal(rowsOf([{ id: 2, parent: 1 }]));
  expect(journal.attempt(0).parentIndex).toBe(-1);
  journal.apply(rowsOf([{ id: 1 }]));
  expect(journal.childrenOf(1)).toEqual([0]);
});

test('other limits make other attempts near', () => {
  const attempts = [{ id: 1, spent: { store: 90 } }];
  const journal = new Journal(rowsOf(attempts));
  expect(journal.nearAt(0)).toBe(false);
  const limits = { requests: 100, cpu: 60, memory: 2 ** 27, time: 900, chain: 2000 };
  journal.apply(rowsOf([], { limits }));
  expect(journal.attempt(0).near).toEqual(['requests']);
  expect(journal.remarks()).toEqual(['1 execution was at 80% of a limit or more.']);
});

test('work that waits is told by method', () => {
  const methods = ['a', 'b', 'b', 'c', 'd', 'e', 'f\u202e'];
  const journal = new Journal();
  const scheduled = {
    execution: methods.map((_, place) => place),
    parent: methods.map(() => null),
    method: words(methods),
    key: words(methods.map(() => '')),
    due: methods.map(() => 5),
    every_ms: methods.map(() => null),
    total: 7
  };
  journal.apply(rowsOf([], { scheduled }));
  expect(journal.remarks()).toEqual(['Waiting to run: 2 b, 1 a, 1 c, 1 d, 1 e and 1 more method.']);
  journal.apply(rowsOf([], { scheduled: { ...scheduled, total: 12_007 } }));
  expect(journal.remarks()[0]).toMatch(/ and 12,000 later ones\.$/);
});

test('texts of an attempt are safe to show', () => {
  const evil = 'a\u202eb\x00\nc';
  const journal = new Journal(rowsOf([{ id: 1, method: evil, outcome: evil, error: evil, cause: evil }]));
  const { method, outcome, error, cause } = journal.attempt(0);
  expect([method, outcome, error, cause]).toEqual(Array(4).fill('a[U+202E]b c'));
});

test('writes are kept by id, in the order they came', () => {
  const write = (id: number, text: string): Partial<ReturnType<typeof rowsOf>> => ({
    writes: {
      id: [id],
      twist: words(['T']),
      key: words(['k']),
      version: [1],
      type: words(['int']),
      bytes: [2],
      updated: [3],
      by: [null],
      text: [text]
    }
  });
  const journal = new Journal();
  journal.apply(rowsOf([], write(4, '1')));
  journal.apply(rowsOf([], write(5, '2')));
  journal.apply(rowsOf([], write(4, '3')));
  expect(journal.writes.map(({ id, text }) => [id, text])).toEqual([
    [4, '3'],
    [5, '2']
  ]);
});

test('who subscribed hears of all rows at once, and no more when the subscription has ended', () => {
  const journal = new Journal();
  let heard = 0;
  const end = journal.subscribe(() => (heard += 1));
  journal.apply(rowsOf(chainOf(20)));
  expect(heard).toBe(1);
  end();
  journal.apply(rowsOf(chainOf(20)));
  expect(heard).toBe(1);
});

test('the cursor stays where the kernel left it', () => {
  const journal = new Journal(rowsOf([], { to: { attempt: 3, write: 4 } }));
  journal.apply(rowsOf([]));
  expect(journal.cursor).toEqual({ attempt: 3, write: 4 });
});

test('what was asked for is found again', () => {
  const journal = new Journal(rowsOf([{ id: 1 }]));
  let heard = 0;
  journal.subscribe(() => (heard += 1));
  const source = { twist: 'T/x', version: 2, filename: 'T', text: 'pass' };
  const detail = { id: 1 } as Parameters<Journal['addDetail']>[0];
  journal.addDetail(detail, source);
  expect([journal.detail(1), journal.source('T/x', 2), journal.source('T', 2), heard]).toEqual([
    detail,
    source,
    undefined,
    1
  ]);
});

test('a hundred thousand attempts are taken in quickly, and rows cost no more at the end than at the start', () => {
  const journal = new Journal(rowsOf(chainOf(100)));
  const began = performance.now();
  for (let from = 101; from <= 100_000; from += 1000) {
    journal.apply(rowsOf(chainOf(1000, from)));
  }
  expect(journal.length).toBe(100_100);
  expect(performance.now() - began).toBeLessThan(5000);
  const rows = rowsOf(chainOf(40, 100_101));
  const late = performance.now();
  journal.apply(rows);
  expect(performance.now() - late).toBeLessThan(100);
  expect(journal.summary()).toMatch(/^100,140 executions, /);
});

function progressOf(id: number[], total: number[], more: Partial<ProgressRows> = {}): ProgressRows {
  const none = id.map(() => null);
  const updated = id.map(each => 10 * each);
  return {
    ...{ key: 'sync', field: 'done', expected: null, id, by: id, updated, items: total, total },
    ...{ rate: none, requests_per_item: none, left_ms: none, ...more }
  };
}

test('progress is added to, a row at a time, and begins anew with another entry', () => {
  const journal = new Journal(rowsOf([], { progress: progressOf([3, 5], [1, 2]) }));
  journal.apply(rowsOf([], { progress: progressOf([5, 9], [20, 30], { expected: 40 }) }));
  expect(journal.progress).toMatchObject({ id: [3, 5, 9], total: [1, 20, 30], by: [3, 5, 9], expected: 40 });
  journal.apply(rowsOf([], { progress: progressOf([], []) }));
  expect(journal.progress?.id).toEqual([3, 5, 9]);
  journal.apply(rowsOf([], { progress: progressOf([9], [7], { field: 'pages' }) }));
  expect(journal.progress).toMatchObject({ id: [9], total: [7] });
});

const START = { attempt: 0, write: 0 };

test('a sample of a saved picture makes room for all rows of a kernel, in their order', () => {
  const all = chainOf(30);
  const journal = new Journal(rowsOf([...all.slice(0, 5), ...all.slice(-5)], { left_out: 20 }));
  const { generation } = journal;
  journal.apply(rowsOf(all.slice(0, 20), { from: START, to: { attempt: 20, write: 0 } }));
  expect(journal.generation).not.toBe(generation);
  journal.apply(rowsOf(all.slice(20), { from: { attempt: 20, write: 0 }, to: { attempt: 30, write: 0 } }));
  expect(journal.leftOut).toBe(0);
  expect(Array.from({ length: journal.length }, (_, index) => journal.idAt(index))).toEqual(all.map(({ id }) => id));
  expect(journal.summary()).toBe(new Journal(rowsOf(all)).summary());
});

test('all of a saved picture stays where it is when a kernel sends it again', () => {
  const journal = new Journal(rowsOf(chainOf(10)));
  const { generation } = journal;
  journal.apply(rowsOf(chainOf(10), { from: START, to: { attempt: 10, write: 0 } }));
  expect([journal.generation, journal.length]).toEqual([generation, 10]);
});

test('the picture that is saved at the end leaves out nothing that is here', () => {
  const all = chainOf(30);
  const journal = new Journal(rowsOf(all, { from: START, to: { attempt: 30, write: 0 } }));
  journal.apply(rowsOf([...all.slice(0, 5), ...all.slice(-5)], { left_out: 20 }));
  expect([journal.length, journal.leftOut]).toEqual([30, 0]);
});

test('writes that no piece had are counted up', () => {
  const journal = new Journal(rowsOf([], { from: START, writes_left_out: 3 }));
  journal.apply(rowsOf([], { from: { attempt: 1, write: 9 }, writes_left_out: 4 }));
  expect(journal.writesLeftOut).toBe(7);
});

const { rows: PIECES, whole: WHOLE } = deltas as unknown as { rows: Rows[]; whole: Rows };

function contents(journal: Journal): unknown {
  return {
    attempts: Array.from({ length: journal.length }, (_, index) => journal.attempt(index)),
    writes: new Map(journal.writes.map(write => [write.id, write])),
    said: [journal.summary(), ...journal.remarks()],
    totals: journal.totals(),
    progress: journal.progress,
    cursor: journal.cursor,
    running: [journal.running, journal.unfinished()]
  };
}

test('the pieces that a kernel sends come to the whole, also those that come twice', () => {
  const whole = contents(new Journal(WHOLE));
  const pieces = new Journal();
  const twice = new Journal();
  for (const rows of PIECES) {
    pieces.apply(rows);
    twice.apply(rows);
    twice.apply(rows);
  }
  expect(contents(pieces)).toEqual(whole);
  expect(contents(twice)).toEqual(whole);
});

test('what an attempt queued was set off by it, not by the attempt after it', () => {
  const journal = new Journal(
    rowsOf([
      { id: 1, outcome: 'error' },
      { id: 2, parent: 1 },
      { id: 3, execution: 1, attempt: 2 },
      { id: 4, parent: 1 }
    ])
  );
  expect(told(journal).map(({ cause }) => cause)).toEqual([-1, 0, 0, 2]);
});
