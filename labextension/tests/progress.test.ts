import { beforeEach, describe, expect, it } from 'vitest';

import deltas from '../../tests/fixtures/pictures/deltas.json';
import firstSync from '../../tests/fixtures/pictures/first_sync.json';
import type { Context } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { figure, progressChart, sentence } from '../src/charts/progress';
import { nearest, pointsOf, progressDrawing, thinned } from '../src/charts/progressline';
import { Selection } from '../src/charts/selection';
import type { ProgressRows, Rows } from '../src/charts/wire';
import { kernelOf, nextFrame } from './kernel';
import { rowsOf } from './rows';

function rows(totals: number[], also: Partial<ProgressRows> = {}): ProgressRows {
  return {
    key: 'sync_state',
    field: 'total',
    expected: null,
    id: totals.map((_, index) => index + 1),
    by: totals.map((_, index) => index + 1),
    updated: totals.map((_, index) => 1000 * (index + 1)),
    items: totals.map((total, index) => total - (totals[index - 1] ?? 0)),
    total: totals,
    rate: totals.map((_, index) => (index > 0 ? 12.34 : null)),
    requests_per_item: totals.map(() => 1.5),
    left_ms: totals.map(() => null),
    ...also
  };
}

describe('the sentence', () => {
  it.each([
    [
      rows([300, 600], { expected: 1234, left_ms: [null, 51_000] }),
      true,
      '600 of 1234 items, 12.3 a second, about 51 s left'
    ],
    [rows([300, 600], { expected: 12_345 }), false, '600 of 12,345 items, 12.3 a second, 11,745 missing'],
    [rows([300, 600], { expected: 600 }), false, '600 of 600 items, 12.3 a second, all there'],
    [
      rows([300, 600], { expected: 600, left_ms: [null, 0] }),
      true,
      '600 of 600 items, 12.3 a second, all there'
    ],
    [rows([300, 600]), true, '600 items, 12.3 a second'],
    [rows([1]), false, '1 item'],
    [rows([2.5], { expected: 10 }), true, '2.5 of 10 items'],
    [rows([]), true, 'Nothing yet.'],
    [rows([]), false, 'Nothing was written.']
  ])('%# says how far it is', (given, running, expected) => {
    expect(sentence(given, running)).toBe(expected);
  });

  it('has no more digits than it takes', () => {
    expect([3, 12_345, 0.123456, 1234.56, -2].map(figure)).toEqual(['3', '12,345', '0.123', '1235', '-2']);
  });
});

describe('the line', () => {
  it('goes over the time there was, and ahead to where it will be done', () => {
    const given = rows([300, 600], { expected: 1200, left_ms: [null, 2000] });
    const points = pointsOf(given, { width: 460, now: 2000, running: true, selected: -1 });
    expect(points).toMatchObject({ span: 4000, top: 1200, done: 4000, x: [148, 248] });
    const done = pointsOf(given, { width: 460, now: 2000, running: false, selected: -1 });
    expect(done).toMatchObject({ span: 2000, done: null, x: [248, 448] });
  });

  it('does not shrink to nothing where the end is far ahead', () => {
    const given = rows([1, 2], { expected: 1e9, left_ms: [null, 1e12] });
    expect(pointsOf(given, { width: 460, now: 2000, running: true, selected: -1 }).span).toBe(2000);
  });

  it('finds the nearest point', () => {
    const points = pointsOf(rows([1, 2, 3]), { width: 460, now: 0, running: false, selected: -1 });
    expect([0, points.x[1], 1e9].map(x => nearest(points, x ?? 0))).toEqual([0, 1, 2]);
    expect(nearest(pointsOf(rows([]), { width: 460, now: 0, running: false, selected: -1 }), 5)).toBe(-1);
  });

  it('of very many points keeps the first, last, lowest and highest of each column', () => {
    expect(thinned([1.1, 1.2, 1.3, 1.4, 2], [5, 9, 1, 4, 3])).toEqual([
      [1.1, 5],
      [1.2, 9],
      [1.3, 1],
      [1.4, 4],
      [2, 3]
    ]);
    const many = Array.from({ length: 100_000 }, (_, index) => index);
    expect(
      thinned(
        many.map(index => index / 200),
        many
      ).length
    ).toBeLessThanOrEqual(4 * 500);
  });

  it('is complete in a file: with a background, a title and colours of its own', () => {
    const points = pointsOf(rows([1, 2], { expected: 3 }), {
      width: 460,
      now: 0,
      running: false,
      selected: 1
    });
    const svg = progressDrawing(points, { height: 200, title: '<b>', forFile: true });
    expect(svg.querySelector('title')?.textContent).toBe('<b>');
    expect(svg.querySelector('rect')?.getAttribute('fill')).toBe('#ffffff');
    for (const shape of svg.querySelectorAll('path, line, text, circle')) {
      expect(shape.getAttribute('fill') ?? shape.getAttribute('stroke')).toBeTruthy();
    }
  });
});

it('rows that come piece by piece are the same as all of them at once', () => {
  const pieces = deltas as unknown as { rows: Rows[]; whole: Rows };
  const journal = new Journal();
  pieces.rows.forEach(piece => journal.apply(piece));
  const { expected: _, ...whole } = pieces.whole.progress as ProgressRows;
  expect(journal.progress).toMatchObject(whole);
});

describe('the chart', () => {
  let context: Context;

  function show(given: Partial<Rows>): ReturnType<typeof progressChart> {
    const journal = new Journal(
      rowsOf(
        [
          { id: 1, method: 'start' },
          { id: 2, method: '<b>x\u202e' }
        ],
        given
      )
    );
    context = {
      journal,
      selection: new Selection(),
      kernel: kernelOf()
    };
    const chart = progressChart(context);
    document.body.replaceChildren(chart.element);
    return chart;
  }

  beforeEach(() => document.body.replaceChildren());

  it('says how to have a progress where there is none', async () => {
    const { element } = show({});
    await nextFrame();
    expect(element.textContent).toContain('%twist progress KEY');
    expect(element.querySelector('[role=progressbar]')?.closest('[hidden]')).not.toBeNull();
  });

  it('has a bar that says how far it is while it runs', async () => {
    const { element } = show({ progress: rows([300, 600], { expected: 1200 }), running: true });
    await nextFrame();
    const bar = element.querySelector('[role=progressbar]');
    const told = ['aria-valuemin', 'aria-valuemax', 'aria-valuenow', 'aria-valuetext', 'aria-label'];
    expect(told.map(name => bar?.getAttribute(name))).toEqual([
      '0',
      '1200',
      '600',
      '600 of 1200 items, 12.3 a second',
      'sync_state.total'
    ]);
    context.journal.apply(
      rowsOf([], { progress: rows([300, 600, 1200], { expected: 1200 }), running: false })
    );
    await nextFrame();
    expect((bar as HTMLElement).hidden).toBe(true);
    expect(element.textContent).toContain('all there');
  });

  it('has a bar without an end where nobody knows it', async () => {
    const { element } = show({ progress: rows([300]), running: true });
    await nextFrame();
    const bar = element.querySelector('[role=progressbar]');
    expect(bar?.hasAttribute('aria-valuenow')).toBe(false);
    expect(bar?.getAttribute('aria-valuetext')).toBe('300 items');
  });

  it('has a row a write, which selects who wrote it', async () => {
    const { element } = show({ progress: rows([300, 600], { by: [1, null] }) });
    await nextFrame();
    const shown = [...element.querySelectorAll<HTMLElement>('[role=row]')].slice(1);
    expect(shown.map(row => row.textContent)).toEqual([
      '#1 start1.00 s+300300—1.5—',
      'by hand2.00 s+30060012.31.5—'
    ]);
    shown[0]?.querySelector('span')?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    expect(context.selection.value).toBe(1);
  });

  it('draws only the rows in view', async () => {
    const { element } = show({ progress: rows(Array.from({ length: 20_000 }, (_, index) => index)) });
    await nextFrame();
    expect(element.querySelectorAll('[role=row]').length).toBeLessThan(60);
    expect(element.querySelector('[role=grid]')?.getAttribute('aria-rowcount')).toBe('20001');
  });

  it('shows hostile names as text', async () => {
    const hostile = rows([1], { key: '<img src=x>\u202e', field: '', by: [2] });
    const { element } = show({ progress: hostile });
    await nextFrame();
    expect(element.querySelector('img, b')).toBeNull();
    expect(element.textContent).toContain('<img src=x>[U+202E]: 1 item');
    expect(element.textContent).toContain('#2 <b>x[U+202E]');
  });

  it('has a table of what it shows, with the figures of a real sync', async () => {
    const chart = show((firstSync as unknown as { rows: Rows }).rows);
    await nextFrame();
    const table = chart.table?.();
    expect(table?.rows).toHaveLength(26);
    expect(table?.rows[25]?.slice(0, 2)).toEqual(['#26', 'sync_page']);
    expect(table?.rows.every(row => row.length === table.columns.length)).toBe(true);
    expect(chart.svg?.()?.querySelectorAll('circle')).toHaveLength(26);
  });
});
