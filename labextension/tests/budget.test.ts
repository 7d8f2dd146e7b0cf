import { afterEach, expect, test } from 'vitest';

import { budgetChart } from '../src/charts/budget';
import { DRAWN } from '../src/charts/budgetfile';
import type { Chart } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { buckets } from '../src/charts/overview';
import { Selection } from '../src/charts/selection';
import type { Rows } from '../src/charts/wire';
import { kernelOf, nextFrame } from './kernel';
import { chainOf, rowsOf } from './rows';
import type { Made } from './rows';

const charts: Chart[] = [];

afterEach(() => {
  charts.splice(0).forEach(chart => {
    chart.dispose();
    chart.element.remove();
  });
});

interface Shown {
  chart: Chart;
  journal: Journal;
  selection: Selection;
}

async function show(attempts: Made[], more: Partial<Rows> = {}): Promise<Shown> {
  const journal = new Journal(rowsOf(attempts, more));
  const selection = new Selection();
  const chart = budgetChart({ journal, selection, kernel: kernelOf() });
  charts.push(chart);
  document.body.append(chart.element);
  await nextFrame();
  return { chart, journal, selection };
}

const list = ({ chart }: Shown): HTMLElement => chart.element.querySelector('[role=listbox]') as HTMLElement;
const rows = (shown: Shown): HTMLElement[] =>
  [...shown.chart.element.querySelectorAll<HTMLElement>('[role=option]')].sort(
    (one, other) => Number(one.getAttribute('aria-posinset')) - Number(other.getAttribute('aria-posinset'))
  );
const overview = ({ chart }: Shown): HTMLElement => chart.element.querySelector('.pnb-overview') as HTMLElement;
const filter = ({ chart }: Shown): HTMLSelectElement => chart.element.querySelector('select') as HTMLSelectElement;

async function choose(shown: Shown, filtered: string): Promise<void> {
  filter(shown).value = filtered;
  filter(shown).dispatchEvent(new Event('change'));
  await nextFrame();
}

test('a bar has a part for each kind, which together are the share of the limit', async () => {
  const shown = await show([{ id: 1, spent: { store: 300, network: 200 }, requests: 505 }]);
  const parts = [...(rows(shown)[0]?.querySelectorAll<HTMLElement>('.pnb-stack > i') ?? [])].filter(
    part => !part.hidden
  );
  expect(parts.map(part => [part.className, part.style.width])).toEqual([
    ['pnb-kind-store', '30%'],
    ['pnb-kind-network', '20%'],
    ['pnb-kind-other', '0.5%']
  ]);
});

test('over a limit and near it are a shape and a word', async () => {
  const shown = await show([
    { id: 1, spent: { store: 1000 }, outcome: 'over_requests', line: 14 },
    { id: 2, spent: { store: 800 } },
    { id: 3, spent: { store: 799 } },
    { id: 4, memory_peak: 120 * 2 ** 20 },
    { id: 5, cpu_ms: 60_000, outcome: 'over_cpu' }
  ]);
  const told = rows(shown).map(row => row.querySelector('.pnb-cell-outcome')?.textContent);
  expect(told).toEqual(['✕ over_requests line 14', '✓ ok▲ near requests', '✓ ok', '✓ ok▲ near memory', '✕ over_cpu']);
  const figures = rows(shown).map(row => row.querySelector('.pnb-cell-requests')?.firstChild?.textContent);
  expect(figures).toEqual(['✕ 1000', '▲ 800', '799', '0', '0']);
});

test('a row says all of its figures to who does not see it', async () => {
  const shown = await show([{ id: 7, method: 'sync_page', spent: { store: 500, network: 5 } }]);
  const row = rows(shown)[0];
  const heard = [...(row?.children ?? [])].filter(part => part.getAttribute('aria-hidden') !== 'true');
  expect(heard.map(part => part.textContent).join()).toBe(
    '#1 sync_page, ok: requests 505 of 1000 (50%): store 500, network 5; CPU 12 ms of 1 min; memory 38 MB of 128 MB'
  );
});

test('the chart has its summary as description', async () => {
  const shown = await show(chainOf(3));
  const described = document.getElementById(list(shown).getAttribute('aria-describedby') ?? '');
  expect(described?.textContent).toBe(shown.journal.summary());
});

test('a click selects everywhere, and what is selected elsewhere is marked and in view', async () => {
  const shown = await show(chainOf(500));
  rows(shown)[2]?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(shown.selection.value).toBe(3);
  shown.selection.set(400);
  await nextFrame();
  const selected = rows(shown).filter(row => row.getAttribute('aria-selected') === 'true');
  expect(selected.map(row => row.getAttribute('aria-posinset'))).toEqual(['400']);
});

test('a row is brought up to date when its attempt changes', async () => {
  const shown = await show([{ id: 1, outcome: 'running', spent: { store: 3 } }]);
  expect(rows(shown)[0]?.textContent).toContain('▸ running');
  shown.journal.apply(rowsOf([{ id: 1, spent: { store: 700 } }]));
  await nextFrame();
  expect(rows(shown)[0]?.textContent).toContain('✓ ok');
  expect(rows(shown)[0]?.textContent).toContain('700');
});

test('a run that goes on is followed, and its last rows too', async () => {
  const shown = await show(chainOf(100), { running: true });
  expect(rows(shown).map(row => row.getAttribute('aria-posinset'))).toContain('100');
  shown.journal.apply(rowsOf(chainOf(40, 101), { running: false }));
  await nextFrame();
  expect(rows(shown).map(row => row.getAttribute('aria-posinset'))).toContain('140');
});

test('there is a choice of rows where there are many', async () => {
  const few = await show(chainOf(30));
  expect(filter(few).closest('label')?.hidden).toBe(true);
  const attempts = chainOf(60).map(made => {
    if (made.id % 20 === 0) {
      return { ...made, outcome: 'error' };
    }
    return made.id % 30 === 7 ? { ...made, spent: { store: 900 } } : made;
  });
  const shown = await show(attempts);
  expect([...filter(shown).options].map(option => option.textContent)).toEqual([
    'all (60)',
    'failed (3)',
    'near a limit (2)'
  ]);
  await choose(shown, 'failed');
  expect(rows(shown).map(row => row.querySelector('.pnb-cell-number')?.textContent)).toEqual(['#20', '#40', '#60']);
  await choose(shown, 'near');
  expect(rows(shown).map(row => row.querySelector('.pnb-cell-number')?.textContent)).toEqual(['#7', '#37']);
  // One that has failed only now takes its place among the others.
  await choose(shown, 'failed');
  shown.journal.apply(rowsOf([{ id: 30, outcome: 'error' }]));
  await nextFrame();
  expect(rows(shown).map(row => row.querySelector('.pnb-cell-number')?.textContent)).toEqual([
    '#20',
    '#30',
    '#40',
    '#60'
  ]);
});

test('many rows have an overview, few do not', async () => {
  expect(overview(await show(chainOf(40))).hidden).toBe(true);
  const shown = await show(chainOf(1000));
  expect(overview(shown).hidden).toBe(false);
  expect(overview(shown).textContent).toContain('All 1000; each column the heaviest of 5');
});

test('a column of the overview is the heaviest of its attempts, and no attempt is left out', () => {
  const attempts = chainOf(1003).map(made => (made.id === 777 ? { ...made, outcome: 'error', spent: { store: 990 } } : made));
  const journal = new Journal(rowsOf(attempts));
  const columns = buckets(journal, journal.length, place => place);
  expect(columns.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(1003);
  expect(columns.find(({ heaviest }) => heaviest === 776)).toMatchObject({ from: 770, to: 780, failed: 1, near: true });
  expect(columns.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
});

test('columns keep their attempts while more come', () => {
  const journal = new Journal(rowsOf(chainOf(900)));
  const before = buckets(journal, 810, place => place).slice(0, -1);
  expect(buckets(journal, 890, place => place).slice(0, before.length)).toEqual(before);
});

test('as a file it is a drawing by itself', async () => {
  const shown = await show(chainOf(50));
  const text = new XMLSerializer().serializeToString(shown.chart.svg?.() as SVGSVGElement);
  expect(text).toContain('#50');
  expect(text).not.toMatch(/var\(|class=|style=|href/);
  expect(new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')).toBeNull();
});

test('of too many attempts a file has all as columns, and those that somebody looks for as rows', async () => {
  const attempts = chainOf(1000).map(made => (made.id === 333 ? { ...made, outcome: 'crashed' } : made));
  const shown = await show(attempts);
  const words = [...(shown.chart.svg?.()?.querySelectorAll('text') ?? [])].map(node => node.textContent);
  expect(words.filter(word => /^#\d+$/.test(word ?? '')).length).toBe(DRAWN);
  expect(words).toContain('#333');
  expect(words.join(' ')).toContain('each column the heaviest of 5');
});

test('its table has a row an attempt', async () => {
  const shown = await show([{ id: 9, spent: { store: 2, plot: 1 }, line: 4, outcome: 'error', error: 'no' }, { id: 10 }]);
  const table = shown.chart.table?.();
  expect(table?.rows.length).toBe(2);
  const row = Object.fromEntries(table?.columns.map((name, place) => [name, table.rows[0]?.[place]]) ?? []);
  expect(row).toMatchObject({ number: 1, execution: 9, outcome: 'error', requests: 3, store: 2, plot: 1, line: 4, error: 'no' });
});

test('nothing is drawn as nothing', async () => {
  const shown = await show([]);
  expect(shown.chart.element.textContent).toContain('Nothing ran.');
  expect(shown.chart.svg?.()).toBeNull();
  expect(list(shown).hidden).toBe(true);
});

test('text of a twist is text', async () => {
  const evil = '<img src=x onerror=alert(1)>\u202e';
  const shown = await show([{ id: 1, method: evil, outcome: 'error', error: evil }]);
  list(shown).dispatchEvent(new FocusEvent('focus'));
  list(shown).dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }));
  expect(shown.chart.element.querySelectorAll('img').length).toBe(0);
  expect(shown.chart.element.textContent).toContain('<img src=x onerror=alert(1)>[U+202E]');
  expect(shown.chart.element.textContent).not.toContain('\u202e');
});

test('what a saved picture leaves out is told', async () => {
  const shown = await show(chainOf(3), { left_out: 9997 });
  expect(shown.chart.element.textContent).toContain('9997 more are in the journal');
});

test('a chart that was disposed of draws no more', async () => {
  const shown = await show(chainOf(3));
  shown.chart.dispose();
  shown.journal.apply(rowsOf(chainOf(5)));
  await nextFrame();
  expect(rows(shown).length).toBe(3);
});

test('a sample that makes room for all is drawn as all', async () => {
  const all = chainOf(60);
  const shown = await show([...all.slice(0, 5), ...all.slice(-5)], { left_out: 50 });
  const limits = { from: { attempt: 0, write: 0 }, to: { attempt: 60, write: 0 } };
  shown.journal.apply(rowsOf(all, limits));
  await nextFrame();
  const numbers = rows(shown).map(row => row.querySelector('.pnb-cell-number')?.textContent);
  expect(numbers.slice(0, 8)).toEqual(['#1', '#2', '#3', '#4', '#5', '#6', '#7', '#8']);
  expect(shown.chart.element.textContent).not.toContain('more are in the journal');
});
