// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { addAhead, whatIsAhead } from '../src/charts/ahead';
import { chainChart } from '../src/charts/chain';
import type { Chart } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { Layout } from '../src/charts/layout';
import { BAR, compose, middle } from '../src/charts/scene';
import type { Scene } from '../src/charts/scene';
import { Selection } from '../src/charts/selection';
import { Viewport } from '../src/charts/viewport';
import type { Rows } from '../src/charts/wire';
import { kernelOf, nextFrame } from './kernel';
import { chainOf, rowsOf, words } from './rows';
import type { Made } from './rows';

interface Drawn {
  journal: Journal;
  layout: Layout;
  view: Viewport;
  scene: Scene;
}

/** What is drawn of some attempts, in 1000 pixels. */
function drawn(
  made: Made[],
  more: Partial<Rows> = {},
  look: (view: Viewport) => void = () => undefined
): Drawn {
  const journal = new Journal(rowsOf(made, more));
  const layout = new Layout();
  layout.take(journal);
  const view = new Viewport();
  view.resize(1000);
  view.cover(layout.begin, layout.end, journal.running);
  look(view);
  const scene = compose(journal, layout.lanes, view, []);
  addAhead(scene, journal, view, layout.ahead, layout.rows, 200);
  return { journal, layout, view, scene };
}

function scheduled(due: number[], more: Partial<Rows['scheduled']> = {}): Rows['scheduled'] {
  return {
    execution: due.map((_, row) => 900 + row),
    parent: due.map(() => 1),
    method: words(due.map(() => 'poll')),
    key: words(due.map(() => '')),
    due,
    every_ms: due.map(() => null),
    total: due.length,
    ...more
  };
}

const texts = (scene: Scene): string[] => scene.labels.map(label => label.text);

describe('what is drawn of a chain', () => {
  test.each([1, 2, 26, 300, 10_000, 30_000])('is all of it, in few enough parts (%i attempts)', length => {
    const { scene } = drawn(chainOf(length));

    expect(scene.attempts).toBe(length);
    expect(scene.bars.length + scene.labels.length).toBeLessThan(750);
    expect(scene.bars.length + scene.heaped).toBe(length);
  });

  test('is few parts also where bars are short and many are in view', () => {
    const made = Array.from({ length: 2000 }, (_, place) => {
      const started = Math.floor(place / 8) * 50;
      return { id: place + 1, started, ended: started + 45 };
    });
    const { scene } = drawn(made);

    expect(scene.attempts).toBe(2000);
    expect(scene.bars.length).toBeLessThan(450);
  });

  test('a failure among ten thousand is seen', () => {
    const made = chainOf(10_000).map(each => (each.id === 4321 ? { ...each, outcome: 'error' } : each));
    const { scene, view } = drawn(made);

    expect(scene.marks.map(mark => mark.shape)).toEqual(['failed']);
    expect(scene.marks[0]?.x).toBeCloseTo(view.x(45 * 4321), -1);
    expect(scene.badHeaps).not.toBe('');
  });

  test('failures side by side share their marks, and are all red', () => {
    const { scene } = drawn(chainOf(10_000).map(each => ({ ...each, outcome: 'error' })));

    expect(scene.marks.length).toBeLessThan(1000);
    expect(scene.heaps.join('')).toBe('');
  });

  test('an arrow goes from the bar that queued it, at that moment, to its start', () => {
    const made = [
      { id: 1, started: 0, ended: 1000 },
      { id: 2, parent: 1, queued: 500, started: 1500, ended: 2000 }
    ];
    const { scene, view } = drawn(made, { now: 2000 });

    expect(scene.lines.arrow).toMatch(
      new RegExp(`^M${view.x(500)} ${middle(0) + BAR / 2}V.*H${view.x(1500)}$`)
    );
    expect(scene.heads.arrow).toContain(`M${view.x(1500)} ${middle(1)}`);
  });

  test('an attempt that was tried again is tied to the one before it, with the delay', () => {
    const made = [
      { id: 1, execution: 7, attempt: 1, started: 0, ended: 1000, outcome: 'error' },
      { id: 2, execution: 7, attempt: 2, started: 3000, ended: 4000 }
    ];
    const { scene, layout } = drawn(made, { now: 4000 });

    expect(layout.lanes.of(1)).toBe(layout.lanes.of(0));
    expect(scene.lines.retry).toBe(`M250 ${middle(0)}H750`);
    expect(texts(scene)).toEqual(expect.arrayContaining(['sync_page #1', '#1, attempt 2', '2.00 s']));
    expect(scene.lines.arrow).toBe('');
  });

  test('what is near a limit, what failed and what was cancelled differ in shape', () => {
    const made = ['ok', 'error', 'cancelled'].map((outcome, place) => ({
      id: place + 1,
      outcome,
      spent: { store: outcome === 'ok' ? 900 : 1 },
      started: place * 1000,
      ended: place * 1000 + 500
    }));
    const { scene } = drawn(made);

    expect(scene.marks.map(mark => mark.shape)).toEqual(['near', 'failed', 'cancelled']);
    expect(scene.bars.map(bar => bar.state)).toEqual(['ok', 'failed', 'cancelled']);
  });

  test('names end where the picture does', () => {
    const { scene } = drawn(chainOf(26));

    expect(texts(scene)).toContain('step #12');
    for (const { text, x } of scene.labels) {
      expect(x + 5 * text.length).toBeLessThanOrEqual(1000);
    }
  });

  test('hundreds of arrows from one bar are drawn only when it is pointed at', () => {
    const made: Made[] = [
      { id: 1, started: 0, ended: 100 },
      ...Array.from({ length: 100 }, (_, place) => {
        const started = 100 * (place + 1);
        return { id: place + 2, parent: 1, queued: 50, started, ended: started + 100 };
      })
    ];
    const { scene, journal, layout, view } = drawn(made);

    expect(scene.lines.hint).toBe('');
    expect(compose(journal, layout.lanes, view, [0]).lines.lit.match(/M/g)?.length).toBeGreaterThanOrEqual(
      100
    );
  });

  test('the strip in a bar is as long as its share of the limit', () => {
    const { scene } = drawn([{ id: 1, started: 0, ended: 1000, spent: { store: 250, network: 500 } }], {
      now: 1000
    });

    expect(scene.gauges.store).toMatch(/^M1 .*h249\.5v/);
    expect(scene.gauges.network).toMatch(/^M250\.5 .*h499v/);
  });

  test('a wait is seen also where neither of its ends is', () => {
    const made = [
      { id: 1, started: 0, ended: 1000 },
      { id: 2, parent: 1, cause: 'schedule', queued: 500, started: 90_000, ended: 91_000 }
    ];
    const { scene } = drawn(made, { now: 91_000 }, view => view.zoom(0.1));

    expect(scene.lines.arrow).toContain(`${middle(0)}H`);
  });

  test('texts of a twist are shown without what would mislead', () => {
    const { scene } = drawn([{ id: 1, started: 0, ended: 1000, method: '<b>\u202egnp\u0000' }], {
      now: 1000
    });

    expect(texts(scene)).toEqual(['<b>[U+202E]gnp #1']);
  });
});

describe('what is ahead', () => {
  test('is drawn at its time if that is near, else listed', () => {
    const rows = scheduled([5500, 1e7], { key: words(['', 'daily']), every_ms: [null, 86_400_000] });
    const { layout, scene, view } = drawn([{ id: 1, started: 0, ended: 5000 }], {
      now: 5000,
      scheduled: rows
    });

    expect(layout.ahead).toMatchObject({ near: [0], far: [1], more: 0 });
    expect(view.to).toBeGreaterThan(5500);
    expect(texts(scene)).toContain('poll in 500 ms');
    expect(texts(scene)).toContain('in 2 h 46 min  daily');
  });

  test('does not stand on the name of what ran last', () => {
    const hour = 3_600_000;
    const made = Array.from({ length: 24 }, (_, at) => ({ id: at + 1, started: at * hour, ended: at * hour + 30 }));
    const { scene } = drawn(made, { now: 23 * hour + 30, scheduled: scheduled([24 * hour]) });
    const name = scene.labels.find(label => label.text.endsWith('#24'));
    const next = scene.labels.find(label => label.kind === 'ahead');

    expect(name?.x).toBeLessThan(next?.x ?? 0);
    expect(Math.abs((next?.y ?? 0) - (name?.y ?? 0))).toBeGreaterThan(18);
  });

  test('tells how many more there are', () => {
    const rows = scheduled(
      Array.from({ length: 30 }, (_, row) => 1e7 + row),
      { total: 400 }
    );
    const { scene, layout } = drawn([{ id: 1, started: 0, ended: 5000 }], { now: 5000, scheduled: rows });

    expect(layout.ahead.far.length).toBe(5);
    expect(texts(scene)).toContain('+395 more scheduled');
  });

  test('is as many as there are, near and far', () => {
    const journal = new Journal(
      rowsOf([{ id: 1, started: 0 }], { now: 1000, scheduled: scheduled([1100, 1200, 1e6, 2e6, 3e6]) })
    );
    const ahead = whatIsAhead(journal, 0, 2);

    expect(ahead.near.length + ahead.far.length + ahead.more).toBe(5);
  });

  test('counts what finds no room', () => {
    const rows = scheduled(
      Array.from({ length: 20 }, () => 5000),
      { total: 2000 }
    );
    const { scene, layout } = drawn([{ id: 1, started: 0, ended: 5000 }], { now: 5000, scheduled: rows });
    const marks = scene.ahead.match(/M/g)?.length ?? 0;

    expect(marks).toBe(layout.rows - 1);
    expect(texts(scene)).toContain(`+${2000 - marks} more scheduled`);
  });

  test('the next link of a chain that runs does not come and go', () => {
    const rows = scheduled([4000]);
    const { layout, view } = drawn([{ id: 1, started: 0, ended: 5000 }], {
      now: 5000,
      running: true,
      scheduled: rows
    });

    expect(layout.ahead).toMatchObject({ near: [], far: [], more: 0, total: 0 });
    expect(view.to).toBeLessThan(6000);
  });

  test('what waits although its time has come is said to wait', () => {
    const { scene } = drawn([{ id: 1, started: 0, ended: 5000 }], {
      now: 5000,
      scheduled: scheduled([4000])
    });

    expect(texts(scene)).toContain('poll waits');
  });
});

describe('the layout', () => {
  test('does not move what is there when more comes, or when it ends', () => {
    const made = chainOf(60).map(each => ({
      ...each,
      parent: each.id % 3 === 0 ? 1 : (each.parent ?? null)
    }));
    const journal = new Journal();
    const layout = new Layout();
    const before: number[] = [];
    for (let at = 0; at < made.length; at += 1) {
      const running = { ...(made[at] as Made), outcome: 'running', ended: null };
      journal.apply(rowsOf([...(at > 0 ? [made[at - 1] as Made] : []), running]));
      layout.take(journal);
      expect(before.map((_, index) => layout.lanes.of(index))).toEqual(before);
      before.push(layout.lanes.of(at));
    }
    expect(layout.failures).toEqual([]);
  });

  test('a day on which nothing ran does not push a run aside', () => {
    const { view } = drawn([{ id: 1, started: 0, ended: 1000 }], { now: 86_400_000 });

    expect(view.to).toBe(1000);
  });
});

describe('the chart', () => {
  let journal: Journal;
  let selection: Selection;
  let chart: Chart;
  let plot: HTMLElement;

  const shown = (): string[] =>
    [...plot.querySelectorAll('.pnb-bar')].map(bar => bar.getAttribute('data-attempt') ?? '');
  const spoken = (): string => chart.element.querySelector('[role=status]')?.textContent ?? '';

  async function press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      plot.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }
    await nextFrame();
  }

  beforeEach(async () => {
    journal = new Journal(rowsOf(chainOf(26)));
    selection = new Selection(null);
    chart = chainChart({ journal, selection, kernel: kernelOf() });
    document.body.append(chart.element);
    plot = chart.element.querySelector('.pnb-chain-plot') as HTMLElement;
    await nextFrame();
    await nextFrame();
  });

  afterEach(() => {
    chart.dispose();
    chart.element.remove();
  });

  test('has a bar for each attempt, and says what it is', () => {
    expect(shown()).toHaveLength(26);
    expect(plot.getAttribute('aria-label')).toContain('26 executions');
    expect(plot.getAttribute('role')).toBe('application');
  });

  test('is one stop for the keyboard', () => {
    const stops = [...chart.element.querySelectorAll<HTMLElement>('*')].filter(
      node => node.tabIndex === 0 && (node.hasAttribute('tabindex') || node.tagName === 'BUTTON')
    );

    expect(stops).toEqual([plot]);
  });

  test('keys go along the chain, and up and down it', async () => {
    plot.focus();
    await press('ArrowRight', 'ArrowRight');
    expect(spoken()).toContain('#3 step');
    await press('ArrowUp');
    expect(spoken()).toContain('#2 step');
    await press('ArrowDown', 'ArrowDown');
    expect(spoken()).toContain('#4 step');
    await press('End');
    expect(spoken()).toContain('#26 step');
    await press('ArrowRight', 'ArrowLeft');
    expect(spoken()).toContain('#25 step');
    await press('Home', 'ArrowLeft', 'ArrowUp');
    expect(spoken()).toContain('#1 start');
  });

  test('Enter selects what has the focus, and Escape nothing', async () => {
    plot.focus();
    await press('ArrowRight', 'Enter');
    expect(selection.value).toBe(2);
    await press('Escape');
    expect(selection.value).toBeNull();
  });

  test('what is selected elsewhere comes into view', async () => {
    plot.focus();
    await press('Home', '+', '+', '+', '+');
    expect(shown()).not.toContain('20');
    selection.set(20);
    await nextFrame();
    expect(shown()).toContain('20');
    await press('0');
    expect(shown()).toHaveLength(26);
  });

  test('a plain wheel is left to the notebook', async () => {
    const plain = new WheelEvent('wheel', { deltaY: 100, cancelable: true });
    const zoom = new WheelEvent('wheel', { deltaY: -200, ctrlKey: true, cancelable: true });
    plot.dispatchEvent(plain);
    plot.dispatchEvent(zoom);
    await nextFrame();

    expect([plain.defaultPrevented, zoom.defaultPrevented]).toEqual([false, true]);
    expect(shown().length).toBeLessThan(26);
  });

  test('keys that mean nothing here are left alone', () => {
    const other = new KeyboardEvent('keydown', { key: 'b', cancelable: true });
    const shortcut = new KeyboardEvent('keydown', { key: '0', ctrlKey: true, cancelable: true });
    plot.dispatchEvent(other);
    plot.dispatchEvent(shortcut);

    expect([other.defaultPrevented, shortcut.defaultPrevented]).toEqual([false, false]);
  });

  test('nodes are kept when more comes', async () => {
    const before = [...plot.querySelectorAll('.pnb-bar')];
    journal.apply(rowsOf(chainOf(4, 27)));
    await nextFrame();

    expect(shown()).toHaveLength(30);
    expect([...plot.querySelectorAll('.pnb-bar')].slice(0, 26)).toEqual(before);
  });

  test('ten thousand attempts are few nodes, and all in the picture', async () => {
    journal.apply(rowsOf(chainOf(9974, 27)));
    await nextFrame();
    const svg = plot.querySelector('svg') as SVGSVGElement;

    expect(Number(svg.dataset['bars']) + Number(svg.dataset['heaped'])).toBe(10_000);
    expect(svg.querySelectorAll('*').length).toBeLessThan(1500);
  });

  test('markup in a name is text', async () => {
    journal.apply(rowsOf([{ id: 99, method: '<img src=x onerror=alert(1)>', started: 2000, ended: 9000 }]));
    await nextFrame();

    expect(plot.querySelector('img')).toBeNull();
    expect(plot.textContent).toContain('<img src=x onerror=alert(1)> #27');
  });

  test('a file of it needs nothing else', () => {
    const svg = chart.svg?.() as SVGSVGElement;
    const text = new XMLSerializer().serializeToString(svg);

    expect(text).not.toContain('var(');
    expect(text).toContain('26 executions');
    expect(svg.querySelectorAll('.pnb-bar')).toHaveLength(26);
    expect(svg.getAttribute('viewBox')).toMatch(/^0 0 \d+ \d+$/);
  });

  test('its table has a row for each attempt, with what set it off', () => {
    const table = chart.table?.();

    expect(table?.rows).toHaveLength(26);
    expect(table?.rows.every(row => row.length === table.columns.length)).toBe(true);
    expect(table?.rows[4]?.[table.columns.indexOf('set_off_by')]).toBe(4);
  });

  test('where nothing ran there is no file', () => {
    const nothing = chainChart({ journal: new Journal(), selection, kernel: kernelOf() });

    expect(nothing.svg?.()).toBeNull();
    nothing.dispose();
  });
});
