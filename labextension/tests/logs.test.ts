import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Context } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { logsChart, logsOf, logsSummary, selectLogs } from '../src/charts/logs';
import { Selection } from '../src/charts/selection';
import type { Detail } from '../src/charts/wire';
import { detailOf, HOSTILE, intruders } from './details';
import { kernelOf, nextFrame } from './kernel';
import { rowsOf } from './rows';

const ATTEMPTS = [
  { id: 1, started: 0, method: 'start' },
  { id: 2, started: 100, parent: 1 },
  { id: 3, started: 200, parent: 2 }
];
const DETAILS = [
  detailOf(
    1,
    [],
    [
      { seq: 0, time: 10, text: 'first' },
      { seq: 0, time: 150, text: 'late', level: 'warning' }
    ]
  ),
  detailOf(2, [], [{ seq: 0, time: 120, text: 'second', level: 'error', line: 7 }])
];

function journal(details: Detail[] = DETAILS): Journal {
  return new Journal(rowsOf(ATTEMPTS, { details }));
}

function contextOf(of: Journal, selected: number | null = null): Context {
  return {
    journal: of,
    selection: new Selection(selected),
    kernel: kernelOf({ live: true, trusted: true, detail: vi.fn() })
  };
}

async function chartOf(context: Context): Promise<HTMLElement> {
  const chart = logsChart(context);
  document.body.replaceChildren(chart.element);
  await nextFrame();
  return chart.element;
}

function texts(element: HTMLElement): string[] {
  return [...element.querySelectorAll('.pnb-ex-row .pnb-ex-c-detail')].map(each => each.textContent ?? '');
}

beforeEach(() => document.body.replaceChildren());

describe('the logs of a run', () => {
  it('come by time, with whose they are', () => {
    const logs = logsOf(journal());

    expect(logs.rows.map(row => [row.label, row.time, row.entry.text])).toEqual([
      ['#1', 10, 'first'],
      ['#2', 120, 'second'],
      ['#1', 150, 'late']
    ]);
    expect(logs).toMatchObject({ missing: 0, unknown: 1 });
  });

  it('can be had by level and by execution', () => {
    const { rows } = logsOf(journal());
    const left = (levels: string[], id: number | null): string[] =>
      selectLogs(rows, { levels: new Set(levels), id }).map(row => row.entry.text);

    expect(left([], null)).toEqual(['first', 'second', 'late']);
    expect(left(['warning', 'error'], null)).toEqual(['second', 'late']);
    expect(left([], 1)).toEqual(['first', 'late']);
    expect(left(['error'], 1)).toEqual([]);
  });

  it('are counted in words, the loudest first', () => {
    expect(logsSummary(logsOf(journal()).rows)).toBe('3 logs: 1 error, 1 warning, 1 info');
    expect(logsSummary([])).toBe('0 logs');
  });
});

describe('the logs on the screen', () => {
  it('are all that are there, and it is said which are not', async () => {
    const element = await chartOf(contextOf(journal()));

    expect(texts(element)).toEqual(['first', 'second', 'late']);
    expect(element.getAttribute('aria-label')).toBe('Logs: 3 logs: 1 error, 1 warning, 1 info');
    expect(element.textContent).toContain('Logs of 2 of 3 attempts are here.');
  });

  it('are those of a level where its button is pressed', async () => {
    const element = await chartOf(contextOf(journal()));
    const warning = (): HTMLButtonElement =>
      [...element.querySelectorAll('button')].find(each => each.textContent?.includes('warning'))!;
    warning().click();

    expect(texts(element)).toEqual(['late']);
    expect(warning().getAttribute('aria-pressed')).toBe('true');
  });

  it('are those of the selected execution where that is asked for, also of the next one', async () => {
    const context = contextOf(journal(), 1);
    const element = await chartOf(context);
    [...element.querySelectorAll('button')].find(each => each.textContent === 'only #1 start')!.click();
    expect(texts(element)).toEqual(['first', 'late']);

    context.selection.set(2);
    await nextFrame();
    expect(texts(element)).toEqual(['second']);
  });

  it('select their execution', async () => {
    const context = contextOf(journal());
    const element = await chartOf(context);
    const grid = element.querySelector('[role=grid]')!;
    grid.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
    grid.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp' }));
    expect(context.selection.value).toBeNull();

    grid.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    expect(context.selection.value).toBe(2);
  });

  it('grow with what the kernel gives', async () => {
    const shown = journal();
    const element = await chartOf(contextOf(shown));
    shown.addDetail(detailOf(3, [], [{ seq: 0, time: 300, text: 'last' }]), null);
    await nextFrame();

    expect(texts(element)).toEqual(['first', 'second', 'late', 'last']);
    expect(element.textContent).not.toContain('are here');
  });

  it('that are not here come from the kernel with a click', async () => {
    const partial = { ...detailOf(2, [], [{ seq: 0, time: 120, text: 'second' }]), logs_left_out: 7 };
    const shown = journal([DETAILS[0]!, partial]);
    const context = contextOf(shown);
    vi.mocked(context.kernel.detail).mockImplementation(id => {
      shown.addDetail(detailOf(id, [], [{ seq: 0, time: 300 + id, text: `all of ${id}` }]), null);
      return Promise.resolve();
    });
    const element = await chartOf(context);
    const notice = element.querySelector<HTMLElement>('.pnb-ex-partial')!;
    const before = notice.textContent;
    notice.querySelector('button')!.click();
    await vi.waitFor(() => expect(notice.hidden).toBe(true));

    expect(before).toContain('7 logs are not in this picture. Load all from the kernel');
    expect(vi.mocked(context.kernel.detail).mock.calls).toEqual([[2], [3]]);
    expect(texts(element)).toEqual(['first', 'late', 'all of 2', 'all of 3']);
  });

  it('say why the kernel does not give more', async () => {
    const context = contextOf(journal());
    vi.mocked(context.kernel.detail).mockRejectedValue(new Error('the kernel is gone'));
    const element = await chartOf(context);
    const notice = element.querySelector<HTMLElement>('.pnb-ex-partial')!;
    notice.querySelector('button')!.click();

    await vi.waitFor(() => expect(notice.textContent).toContain('the kernel is gone'));
  });

  it('say so where there are none', async () => {
    const element = await chartOf(contextOf(journal([detailOf(1, []), detailOf(2, []), detailOf(3, [])])));

    expect(element.textContent).toContain('Nothing was logged.');
  });

  it('show hostile text as text, and a megabyte shortened', async () => {
    const element = await chartOf(
      contextOf(
        journal([
          detailOf(
            1,
            [],
            [
              { seq: 0, level: HOSTILE, text: HOSTILE },
              { seq: 0, text: 'x'.repeat(1_000_000) }
            ]
          )
        ])
      )
    );
    element.querySelector('[role=grid]')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));

    expect(intruders(element)).toEqual([]);
    expect(element.textContent).toContain('[U+202E]gnp.exe');
    expect(element.textContent).not.toMatch(/[\u0000\u001b\u202e]/);
    expect(element.textContent?.length).toBeLessThan(10_000);
  });
});
