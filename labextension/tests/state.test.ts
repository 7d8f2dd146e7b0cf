import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Journal } from '../src/charts/journal';
import { Selection } from '../src/charts/selection';
import { stateChart } from '../src/charts/state';
import type { Chart } from '../src/charts/chart';
import type { StateTable } from '../src/charts/wire';
import { kernelOf } from './kernel';
import { rowsOf } from './rows';

const TABLES: StateTable[] = [
  {
    name: 'Tasks',
    columns: ['twist', 'method', 'key', 'run at', 'attempts'],
    rows: [
      ['Sync', 'poll', null, '2026-01-01 01:00:00.000', 0],
      ['Sync', '<b>page</b>\u202e', null, '2026-01-01 02:00:00.000', 2]
    ],
    total: 700
  },
  { name: 'Dead letters', columns: ['twist', 'method'], rows: [], total: 0 },
  { name: 'Limits', columns: ['twist', 'in any', 'used'], rows: [['A', '5 minutes', '3'], ['B', '5 minutes', '4']], total: 2 }
];

let journal: Journal;
let chart: Chart;
let listeners: Set<() => void>;
let state: ReturnType<typeof vi.fn<() => Promise<StateTable[]>>>;
let live: boolean;

function made(): Chart {
  const kernel = kernelOf({
    state,
    subscribe: changed => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    }
  });
  Object.defineProperty(kernel, 'live', { get: () => live });
  chart = stateChart({ journal, selection: new Selection(), kernel });
  document.body.append(chart.element);
  return chart;
}

const settled = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const chips = (): string[] => [...chart.element.querySelectorAll('.pnb-ex-chip')].map(chip => chip.textContent ?? '');
const cells = (tag: string): string[] => [...chart.element.querySelectorAll(tag)].map(cell => cell.textContent ?? '');

beforeEach(() => {
  vi.useFakeTimers();
  journal = new Journal(rowsOf([{ id: 1, started: 0, ended: 5 }], { now: 5 }));
  listeners = new Set();
  state = vi.fn(() => Promise.resolve(TABLES));
  live = true;
});

afterEach(() => {
  chart.dispose();
  chart.element.remove();
  vi.useRealTimers();
});

describe('what the runtime holds', () => {
  test('is asked for when it is looked at, and shown as a table', async () => {
    made();
    await settled();

    expect(chips()).toEqual(['Tasks 700', 'Dead letters 0', 'Limits']);
    // One twist needs no column, nor does what is empty.
    expect(cells('th')).toEqual(['method', 'run at', 'attempts']);
    expect(cells('td').slice(0, 3)).toEqual(['poll', '2026-01-01 01:00:00.000', '0']);
    expect(chart.element.textContent).toContain('2 of 700 are shown');
    expect(chart.table?.()).toMatchObject({ name: 'tasks', columns: TABLES[0]?.columns });
  });

  test('is text, whatever a twist calls its things', async () => {
    made();
    await settled();

    expect(chart.element.querySelector('td b')).toBeNull();
    expect(cells('td')).toContain('<b>page</b>[U+202E]');
  });

  test('is chosen by kind; what there is none of is said in words', async () => {
    made();
    await settled();
    chart.element.querySelectorAll<HTMLElement>('.pnb-ex-chip')[1]?.click();

    expect(chart.element.textContent).toContain('Nothing was given up.');
    chart.element.querySelectorAll<HTMLElement>('.pnb-ex-chip')[2]?.click();
    expect(cells('th')).toEqual(['twist', 'in any', 'used']);
    expect(chart.element.querySelectorAll('[aria-pressed="true"]').length).toBe(1);
  });

  test('is asked for again when the journal grows, at most once a second', async () => {
    made();
    await settled();
    for (let id = 2; id < 12; id++) {
      journal.apply(rowsOf([{ id, started: id * 10, ended: id * 10 + 5 }], { now: id * 10 + 5 }));
      await settled(100);
    }

    expect(state).toHaveBeenCalledTimes(2);
    await settled(5000);
    // Once more for what came after the second, and then no more.
    expect(state).toHaveBeenCalledTimes(3);
  });

  test('is not asked for without a kernel', async () => {
    live = false;
    made();
    await settled(5000);

    expect(state).not.toHaveBeenCalled();
    expect(chart.element.textContent).toContain('run the cell again');
  });

  test('says why it cannot be had, and can be asked for again', async () => {
    state.mockRejectedValueOnce(new Error('the kernel is busy'));
    made();
    await settled();

    expect(chart.element.textContent).toContain('the kernel is busy');
    chart.element.querySelector<HTMLButtonElement>('.pnb-state-head > button')?.click();
    await settled();
    expect(chips()).toHaveLength(3);
    expect(chart.element.textContent).not.toContain('busy');
  });
});
