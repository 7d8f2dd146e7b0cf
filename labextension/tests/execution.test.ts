import axe from 'axe-core';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Chart, Context } from '../src/charts/chart';
import concurrent from '../../tests/fixtures/pictures/concurrent.json';
import firstSync from '../../tests/fixtures/pictures/first_sync.json';
import hostilePicture from '../../tests/fixtures/pictures/hostile.json';
import retries from '../../tests/fixtures/pictures/retries.json';
import wrongWay from '../../tests/fixtures/pictures/wrong_way.json';
import { executionChart, stopOf, summaryOf } from '../src/charts/execution';
import { Journal } from '../src/charts/journal';
import { lineTotals } from '../src/charts/lines';
import { Selection } from '../src/charts/selection';
import type { Detail, Picture, Rows } from '../src/charts/wire';
import { detailOf, HOSTILE, intruders, named, requestsOf, SOURCE } from './details';
import { kernelOf, nextFrame } from './kernel';
import { rowsOf } from './rows';
import type { Made } from './rows';

const OVER: Made = {
  id: 7,
  requests: 1000,
  cpu_ms: 90,
  outcome: 'over_requests',
  line: 21,
  error: 'RequestLimitExceeded: no',
  parent: 5,
  started: 1000,
  ended: 9000
};
const OK: Made = { id: 5, requests: 505, cpu_ms: 12, started: 0, ended: 800 };

interface Shown {
  chart: Chart;
  element: HTMLElement;
  context: Context;
  journal: Journal;
  ask: ReturnType<typeof vi.fn>;
}

/** A kernel that gives the details that it has. */
async function show(
  rows: Rows,
  selected: number | null,
  has: Detail[] | null = null,
  onAsk?: () => void
): Promise<Shown> {
  const journal = new Journal(rows);
  const ask = vi.fn((id: number) => {
    onAsk?.();
    const found = has?.find(detail => detail.id === id);
    if (!found) {
      return Promise.reject(new Error('the kernel is <b>busy</b>'));
    }
    journal.addDetail(found, SOURCE);
    return Promise.resolve();
  });
  const context: Context = {
    journal,
    selection: new Selection(selected),
    kernel: kernelOf({ live: has !== null, trusted: true, detail: ask })
  };
  const chart = executionChart(context);
  document.body.replaceChildren(chart.element);
  await nextFrame();
  return { chart, element: chart.element, context, journal, ask };
}

async function settle(): Promise<void> {
  await nextFrame();
  await nextFrame();
}

beforeEach(() => document.body.replaceChildren());

describe('an attempt in words', () => {
  it('has its budget, its CPU, how it ended and the line that spent most', () => {
    const attempt = new Journal(rowsOf([OK])).attempt(0);
    const totals = lineTotals(
      detailOf(5, [...requestsOf(2, { line: 4 }), ...requestsOf(3, { line: 18 })]).lines
    );

    expect(summaryOf(attempt, 1000, totals)).toBe(
      'sync_page #1: 505 of 1000 requests, 12 ms CPU, ok; line 18 spent most: 3'
    );
    expect(summaryOf(attempt, 1000, [])).toBe('sync_page #1: 505 of 1000 requests, 12 ms CPU, ok');
  });

  it.each([
    ['over_requests', 'stopped here: request 1001 is one too many'],
    ['over_cpu', 'stopped here: its CPU time was over'],
    ['over_memory', 'stopped here: its memory was full'],
    ['over_time', 'stopped here: its time was over'],
    ['cancelled', 'cancelled here'],
    ['error', 'failed here: RequestLimitExceeded: no']
  ])('says of %s at its line what happened', (outcome, words) => {
    const attempt = new Journal(rowsOf([{ ...OVER, outcome }])).attempt(0);

    expect(stopOf(attempt, 1000)).toEqual({ line: 21, words });
  });

  it('marks no line of what is well, or of which none is known', () => {
    expect(stopOf(new Journal(rowsOf([{ ...OK, line: 4 }])).attempt(0), 1000)).toBeNull();
    expect(stopOf(new Journal(rowsOf([{ ...OVER, line: null }])).attempt(0), 1000)).toBeNull();
  });
});

describe('the selected execution', () => {
  const detail = detailOf(
    7,
    [...requestsOf(999, { line: 21 }), { seq: 1000, line: 10 }, { seq: 1001, line: 21, duration_ms: null }],
    [{ seq: 3, text: 'hello' }],
    {
      arguments: '1, name="x"',
      traceback:
        'Traceback (most recent call last):\n  File "%%twist CalendarSync", line 12, in sync_page\nRequestLimitExceeded: no',
      lines: detailOf(7, [...requestsOf(999, { line: 21 }), { seq: 1000, line: 10 }]).lines
    }
  );
  const rows = rowsOf([OK, OVER], { details: [detail], sources: [SOURCE] });

  it('asks to select one where none is', async () => {
    const { element } = await show(rows, null);

    expect(element.textContent).toContain('Select an execution');
    expect(element.querySelector('[role=grid]')?.closest('[hidden]')).not.toBeNull();
  });

  it('is told with its figures, its line and its error', async () => {
    const { element } = await show(rows, 7);

    expect(element.getAttribute('aria-label')).toBe(
      'sync_page #2: 1000 of 1000 requests, 90 ms CPU, over_requests at line 21; line 21 spent most: 999'
    );
    expect(element.textContent).toContain('✕ over 1000 of 1000 100%');
    expect(element.textContent).toContain('999 of 1000');
    expect(element.textContent).toContain('✕ stopped here: request 1001 is one too many');
    expect(element.textContent).toContain('↳ on the way to the error');
    expect(element.textContent).toContain('1, name="x"');
    expect(element.textContent?.match(/RequestLimitExceeded: no/g)).toHaveLength(1);
  });

  it('is another one when that is selected, also by the button of its parent', async () => {
    const { element, context } = await show(rows, 7);
    named(element, '#1 sync_page').click();
    await nextFrame();

    expect(context.selection.value).toBe(5);
    expect(element.getAttribute('aria-label')).toContain('sync_page #1: 505 of 1000');
  });

  it('has its other attempts beside it', async () => {
    const tries = rowsOf([
      { id: 1, execution: 1, outcome: 'error' },
      { id: 2, execution: 1, attempt: 2 }
    ]);
    const { element, context } = await show(tries, 2);
    named(element, '1 error').click();

    expect(context.selection.value).toBe(1);
    expect(named(element, '2 ok').getAttribute('aria-current')).toBe('true');
  });

  it('shows only the requests of a line that is picked', async () => {
    const { element } = await show(rows, 7);
    const line = [...element.querySelectorAll<HTMLElement>('[role=option]')].find(each =>
      each.textContent?.startsWith('10')
    );
    line?.click();

    expect(element.querySelector('[role=grid]')?.getAttribute('aria-label')).toContain('1 of 1000 requests');
    expect(line?.getAttribute('aria-selected')).toBe('true');
    named(element, 'line 10 only').click();
    expect(line?.getAttribute('aria-selected')).toBe('false');
  });

  it('marks the line of the request that is looked at', async () => {
    const { element } = await show(rows, 7);
    element.querySelector('[role=grid]')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }));

    expect(element.querySelector('.pnb-ex-marked .pnb-ex-line-number')?.textContent).toBe('21');
  });

  it('can be had as a table and as a drawing', async () => {
    const { chart } = await show(rows, 7);

    expect(chart.table?.().rows).toHaveLength(1002);
    expect(chart.table?.().rows[3]).toEqual([null, 'info', 'hello', null, -980, null, null, null, null, '']);
    expect(chart.svg?.()?.querySelector('title')?.textContent).toContain('1000 of 1000 requests');
    expect((await show(rows, null)).chart.svg?.()).toBeNull();
  });
});

describe('what a picture does not hold', () => {
  const part = { ...detailOf(5, requestsOf(200)), id: 5 };
  const all = detailOf(5, requestsOf(505));

  it('is asked of the kernel when an execution is selected', async () => {
    const { element, context, ask } = await show(
      rowsOf([OK, OVER], { details: [detailOf(7, requestsOf(1000))] }),
      7,
      [all]
    );
    expect(ask).not.toHaveBeenCalled();

    context.selection.set(5);
    await settle();
    expect(ask).toHaveBeenCalledOnce();
    expect(element.textContent).toContain('505 requests');
  });

  it('is asked for by itself when nothing is there, once', async () => {
    const { element, ask } = await show(rowsOf([OK]), 5, [all]);
    await settle();

    expect(ask).toHaveBeenCalledOnce();
    expect(element.textContent).toContain('505 requests');
  });

  it('is loaded only on demand where a saved picture has the beginning', async () => {
    const { element, ask } = await show(rowsOf([OK], { details: [part] }), 5, [all]);
    await settle();
    expect(ask).not.toHaveBeenCalled();
    expect(element.textContent).toContain('This picture has the first 200 of 505 requests.');

    named(element, 'Load all from the kernel').focus();
    named(element, 'Load all from the kernel').click();
    await settle();
    expect(document.activeElement?.getAttribute('role')).toBe('grid');
    expect(ask).toHaveBeenCalledOnce();
    expect(element.querySelector('[role=grid]')?.getAttribute('aria-rowcount')).toBe('506');
    expect(element.textContent).not.toContain('This picture has');
  });

  it('is quietly waited for', async () => {
    let words = '';
    const shown = await show(rowsOf([OK]), null, [all]);
    shown.ask.mockReturnValue(new Promise<void>(() => undefined));
    shown.context.selection.set(5);
    await settle();
    words = shown.element.querySelector('[role=status]')?.textContent ?? '';

    expect(words).toBe('Loading…');
    expect(shown.ask).toHaveBeenCalledOnce();
  });

  it('is not asked for again and again where the kernel cannot give it', async () => {
    const { element, ask } = await show(rowsOf([OK]), 5, []);
    await settle();
    await settle();

    expect(ask).toHaveBeenCalledOnce();
    expect(element.textContent).toContain('It could not be loaded: the kernel is <b>busy</b>');
    expect(element.querySelector('[role=status] b')).toBeNull();
    named(element, 'Load it from the kernel').click();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('has to be run again where no kernel is', async () => {
    const beginning = await show(rowsOf([OK], { details: [part] }), 5);
    expect(beginning.element.textContent).toContain('To see the rest, run the cell again.');

    const nothing = await show(rowsOf([OK]), 5);
    expect(nothing.element.textContent).toContain(
      'no kernel is connected that has them: run the cell again.'
    );
    expect(nothing.ask).not.toHaveBeenCalled();
  });

  it('leaves the source, where that is there', async () => {
    const { element } = await show(rowsOf([OVER], { sources: [SOURCE] }), 7);

    expect(element.textContent).toContain('✕ stopped here: request 1001 is one too many');
  });

  it('is asked for again when what ran has ended', async () => {
    const running = { ...OK, requests: 200, outcome: 'running', ended: null };
    const { journal, element, ask } = await show(rowsOf([running]), 5, [all]);
    await settle();
    const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    journal.apply(rowsOf([OK]));
    await settle();
    now.mockRestore();

    expect(ask).toHaveBeenCalledTimes(2);
    expect(element.textContent).toContain('✓ ok');
  });
});

describe('hostile text', () => {
  it('is text everywhere', async () => {
    const made = { ...OVER, outcome: 'error', method: HOSTILE, error: HOSTILE, cause: HOSTILE };
    const hostile = detailOf(
      7,
      [{ seq: 1, name: HOSTILE, detail: HOSTILE, error: HOSTILE, line: 2 }],
      [{ seq: 0, text: HOSTILE, level: HOSTILE }],
      {
        arguments: HOSTILE,
        result: HOSTILE.repeat(100),
        traceback: `${HOSTILE}\n${HOSTILE}`
      }
    );
    const source = { ...SOURCE, filename: HOSTILE, text: `\n"${HOSTILE}"` };
    const { element } = await show(rowsOf([OK, made], { details: [hostile], sources: [source] }), 7);
    element.querySelector('[role=grid]')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }));

    expect(intruders(element)).toEqual([]);
    expect(element.outerHTML).not.toMatch(/[\u0000\u001b\u202e]/);
    expect(element.textContent).toContain('[U+202E]gnp.exe');
  });
});

describe('pictures of real runs', () => {
  const pictures = Object.entries({ wrongWay, firstSync, hostilePicture, retries, concurrent }).map(
    ([name, picture]) => [name, picture as unknown as Picture] as const
  );

  it.each(pictures)(
    '%s: every attempt is drawn, and its lines add up to its requests',
    async (_, picture) => {
      const journal = new Journal(picture.rows);
      for (const { id } of picture.rows.details) {
        const { element } = await show(picture.rows, id);
        const attempt = journal.attempt(journal.indexOf(id));
        const spent = lineTotals(journal.detail(id)!.lines).reduce((sum, total) => sum + total.requests, 0);

        expect(spent).toBe(attempt.requests);
        expect(element.getAttribute('aria-label')).toContain(attempt.method);
        expect(intruders(element)).toEqual([]);
      }
    }
  );

  it('the wrong way: the line where it was stopped is the one that the traceback shows', async () => {
    const picture = pictures[0]![1];
    const journal = new Journal(picture.rows);
    const { element } = await show(picture.rows, journal.attempt(0).id);
    const stop = element.querySelector('.pnb-ex-stopped code')?.textContent ?? '';
    const shown =
      journal
        .detail(journal.attempt(0).id)
        ?.traceback?.split('\n')
        .find(line => line.includes('await self.callback')) ?? '?';

    expect(stop).toContain(shown.trim());
  });

  it('has nothing that axe would call serious', async () => {
    const { element } = await show(pictures[0]![1].rows, new Journal(pictures[0]![1].rows).attempt(0).id);
    element.querySelector('[role=grid]')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
    const { violations } = await axe.run(element, {
      rules: { 'color-contrast': { enabled: false }, region: { enabled: false } }
    });

    expect(violations.map(each => `${each.id}: ${each.nodes[0]?.html}`)).toEqual([]);
  });
});
