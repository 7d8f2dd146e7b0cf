import { beforeEach, describe, expect, it, vi } from 'vitest';

import hostile from '../../tests/fixtures/pictures/hostile.json';
import types from '../../tests/fixtures/pictures/store_types.json';
import type { Chart, Context } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { Selection } from '../src/charts/selection';
import { storeChart } from '../src/charts/store';
import type { Rows, WriteRows } from '../src/charts/wire';
import { nextFrame } from './kernel';
import { rowsOf, words } from './rows';

interface Written {
  key: string;
  value?: unknown;
  /** As it is stored, in place of `value`; null: too long to be here. */
  text?: string | null;
  by?: number | null;
  type?: string;
  twist?: string;
  version?: number;
}

/** Writes in their order; undefined values are clears. */
function written(list: Written[], from = 0): WriteRows {
  const versions = new Map<string, number>();
  const version = (key: string): number => {
    versions.set(key, (versions.get(key) ?? 0) + 1);
    return versions.get(key) ?? 1;
  };
  const cleared = (each: Written): boolean => each.value === undefined && each.text === undefined;
  return {
    id: list.map((_, index) => from + index + 1),
    twist: words(list.map(each => each.twist ?? 'CalendarSync')),
    key: words(list.map(each => each.key)),
    version: list.map(each => each.version ?? version(each.key)),
    type: words(
      list.map(
        each => each.type ?? (cleared(each) ? 'cleared' : typeof each.value === 'object' ? 'dict' : 'str')
      )
    ),
    bytes: list.map(each => JSON.stringify({ json: each.value }).length),
    updated: list.map((_, index) => 10 * index),
    by: list.map(each => (each.by === undefined ? 1 : each.by)),
    text: list.map(each =>
      each.text !== undefined ? each.text : cleared(each) ? null : JSON.stringify({ json: each.value })
    )
  };
}

let context: Context;
let chart: Chart;
const listeners = new Set<() => void>();
const kernel = {
  live: true,
  trusted: true,
  detail: vi.fn(() => Promise.resolve()),
  values: vi.fn((_: number[]) => Promise.resolve(new Map<number, string>())),
  state: vi.fn(() => Promise.resolve([])),
  write: vi.fn((_twist: string, _key: string, _text: string | null) => Promise.resolve()),
  subscribe: (changed: () => void) => {
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }
};

const ATTEMPTS = [
  { id: 1, method: 'start' },
  { id: 2, method: 'step' },
  { id: 3, method: 'look' },
  { id: 4, execution: 2, attempt: 2, method: 'step' }
];

async function show(list: Written[], given: Partial<Rows> = {}): Promise<void> {
  await draw(new Journal(rowsOf(ATTEMPTS, { writes: written(list), ...given })));
}

async function draw(journal: Journal): Promise<void> {
  context = { journal, selection: new Selection(), kernel };
  chart = storeChart(context);
  document.body.replaceChildren(chart.element);
  await nextFrame();
}

function find<E extends HTMLElement>(selector: string): E {
  const found = chart.element.querySelector<E>(selector);
  if (!found) {
    throw new Error(`there is no ${selector}`);
  }
  return found;
}

const tree = (): HTMLElement => find('[role=tree]');

function item(key: string): HTMLElement {
  const found = [...chart.element.querySelectorAll<HTMLElement>('[role=treeitem]')].find(
    each => each.querySelector('.pnb-item-name')?.textContent === key
  );
  if (!found) {
    throw new Error(`there is no item ${key}`);
  }
  return found;
}

/** What is seen: mark, key and value of each line. */
function lines(): string[] {
  return [...chart.element.querySelectorAll('[role=treeitem]')].map(each =>
    ['.pnb-item-mark > [aria-hidden]', '.pnb-item-name', '.pnb-item-count', '.pnb-item-value']
      .map(selector => each.querySelector(selector)?.textContent ?? '')
      .filter(text => text !== '')
      .join(' ')
  );
}

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    tree().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await nextFrame();
  }
}

async function click(target: Element | string): Promise<void> {
  const node = typeof target === 'string' ? button(target) : target;
  node.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  await nextFrame();
  await nextFrame();
}

function button(name: string): HTMLButtonElement {
  const found = [...chart.element.querySelectorAll('button')].find(
    each => !each.closest('[hidden]') && each.textContent === name
  );
  if (!found) {
    throw new Error(`there is no button ${name}`);
  }
  return found;
}

async function slide(step: number): Promise<void> {
  const slider = find<HTMLInputElement>('input[type=range]');
  slider.value = String(step);
  slider.dispatchEvent(new Event('input'));
  await nextFrame();
}

async function type(selector: string, text: string): Promise<void> {
  const field = find<HTMLInputElement>(selector);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await nextFrame();
}

const caption = (): string => find('.pnb-time-caption').textContent ?? '';

beforeEach(() => {
  kernel.live = true;
  kernel.trusted = true;
  kernel.values.mockReset().mockResolvedValue(new Map());
  kernel.write.mockReset().mockResolvedValue(undefined);
  listeners.clear();
});

const HISTORY: Written[] = [
  { key: 'state', value: { page: 1, next: 'a' }, by: 1 },
  { key: 'item:1', value: 'one', by: 1 },
  { key: 'item:2', value: 'two', by: 1 },
  { key: 'state', value: { page: 2, next: 'a' }, by: 2 },
  { key: 'item:2', by: 2 },
  { key: 'item:3', value: 'three', by: 2 },
  { key: 'note', value: 'mine', by: null }
];

describe('the Store', () => {
  it('shows what is there now, what the last step changed, and who wrote it', async () => {
    await show(HISTORY);
    expect(lines()).toEqual([
      'item: 2 keys',
      '1 "one"',
      '3 "three"',
      '+ note "mine"',
      'state {page: 2, next: "a"}'
    ]);
    expect(item('state').querySelector('.pnb-item-by')?.textContent).toBe('#2 step');
    expect(item('note').querySelector('.pnb-item-by')?.textContent).toBe('by hand');
    expect(caption()).toContain('Now, last written by hand, ');
    expect(find('.pnb-store-summary').textContent).toBe('Store of CalendarSync, now: 4 keys, + 1 added.');
  });

  it('goes back to any step, with what that step changed from before to after', async () => {
    await show(HISTORY);
    await slide(2);
    expect(lines()).toEqual([
      'item: 3 keys + 1 added− 1 cleared',
      '1 "one"',
      '− 2 "two"',
      '+ 3 "three"',
      '~ state page: 1 → 2'
    ]);
    expect(caption()).toContain('After #2 step');
    expect(caption()).toContain('+ 1 added~ 1 changed− 1 cleared');
    expect(find('input[type=range]').getAttribute('aria-valuetext')).toMatch(
      /^After #2 step, step 2 of 3, .*, \+ 1 added, ~ 1 changed, − 1 cleared$/
    );
    await slide(0);
    expect(lines()).toEqual([]);
    expect(find('.pnb-store-note').textContent).toBe('Nothing was written yet.');
    await click('now');
    expect(caption()).toContain('Now');
  });

  it('goes along with what is written as long as it stands at now', async () => {
    await show(HISTORY, { running: true });
    const more = (value: string): Rows =>
      rowsOf([], { writes: written([{ key: 'live', value, by: 3 }], 7), running: true });
    context.journal.apply(more('x'));
    await nextFrame();
    expect(lines()).toContain('+ live "x"');
    await slide(1);
    context.journal.apply(
      rowsOf([], { writes: written([{ key: 'later', value: 'y', by: 4 }], 8), running: true })
    );
    await nextFrame();
    expect(lines().join()).not.toContain('later');
    expect(caption()).toContain('1 of 5');
  });

  it('goes where the selection goes, if it is to follow', async () => {
    await show(HISTORY);
    context.selection.set(1);
    await nextFrame();
    expect(caption()).toContain('After #1 start');
    context.selection.set(3);
    await nextFrame();
    expect(caption()).toContain('#3 look wrote nothing here.');
    const follows = [...chart.element.querySelectorAll('label')].find(
      each => each.textContent === 'follow selection'
    );
    follows?.querySelector('input')?.click();
    context.selection.set(1);
    await nextFrame();
    expect(caption()).not.toContain('After #1 start');
    await click('Go to #1 start');
    expect(caption()).toContain('After #1 start');
  });

  it('stays at now when a run ends and something is selected by itself', async () => {
    await show(HISTORY, { running: true });
    context.journal.apply(rowsOf([], { writes: written([]), running: false }));
    context.selection.set(1);
    await nextFrame();
    expect(caption()).toContain('Now');
    context.selection.set(2);
    await nextFrame();
    expect(caption()).toContain('After #2 step');
  });

  it('follows what is selected after the run, though it was not looked at meanwhile', async () => {
    await show(HISTORY, { running: true });
    context.journal.apply(rowsOf([], { writes: written([]), running: false }));
    await Promise.resolve();
    context.selection.set(1);
    await nextFrame();
    expect(caption()).toContain('After #1 start');
  });

  it('selects who wrote a key', async () => {
    await show(HISTORY);
    await click(item('state').querySelector('button') as Element);
    expect(context.selection.value).toBe(2);
  });

  it('tells attempts at one execution apart', async () => {
    await show([{ key: 'a', value: 'x', by: 4 }]);
    expect(item('a').querySelector('.pnb-item-by')?.textContent).toBe('#2 step, attempt 2');
  });

  it('says what is not in the picture', async () => {
    await show([{ key: 'a', value: 'x', by: 99, version: 5 }], { writes_left_out: 1200 });
    expect(find('.pnb-store-note').textContent).toContain('1200 older writes are not in this picture');
    expect(item('a').querySelector('.pnb-item-by')?.textContent).toBe(
      'an execution that is not in this picture'
    );
    await click(item('a'));
    expect(find('.pnb-pane').textContent).toContain('What it was before is not in this picture.');
  });

  it('says that nothing was written', async () => {
    await show([]);
    expect(chart.element.textContent).toContain('Nothing was written to the Store.');
    expect(find('.pnb-time').hidden).toBe(true);
  });

  it('has a Store for each twist', async () => {
    await show([...HISTORY, { key: 'other', value: 'x', twist: 'MailSync/second' }]);
    const twists = find<HTMLSelectElement>('select');
    expect([...twists.options].map(option => option.text)).toEqual(['CalendarSync', 'MailSync/second']);
    twists.value = 'MailSync/second';
    twists.dispatchEvent(new Event('change'));
    await nextFrame();
    expect(lines()).toEqual(['+ other "x"']);
  });

  it('hides locks unless they are asked for', async () => {
    await show([
      { key: 'a', value: 'x' },
      { key: '__lock__:sync', value: { execution: 'e' } }
    ]);
    expect(lines()).toEqual(['+ a "x"']);
    [...chart.element.querySelectorAll('label')]
      .find(each => each.textContent === 'locks, drains')
      ?.querySelector('input')
      ?.click();
    await nextFrame();
    expect(lines()).toEqual(['+ __lock__:sync {execution: "e"}', '+ a "x"']);
    await press('Home', 'F2');
    expect(chart.element.querySelector('.pnb-edit')).toBeNull();
  });

  it('keeps to the changes, if that is asked for', async () => {
    await show(HISTORY);
    [...chart.element.querySelectorAll('label')]
      .find(each => each.textContent === 'only changes')
      ?.querySelector('input')
      ?.click();
    await nextFrame();
    expect(lines()).toEqual(['+ note "mine"']);
  });
});

describe('the search', () => {
  it('finds keys and values, counts them, and ends with Escape', async () => {
    await show([...HISTORY, { key: 'long', text: null, by: 3 }]);
    await type('input[type=search]', 'THREE');
    expect(lines()).toEqual(['item:3 "three"']);
    expect(find('.pnb-store-matches').textContent).toBe('1 of 5 keys; 1 long value not searched');
    await type('input[type=search]', 'item');
    expect(lines()).toHaveLength(3);
    await type('input[type=search]', 'nowhere');
    expect(find('.pnb-store-note').textContent).toBe('Nothing matches.');
    const search = find<HTMLInputElement>('input[type=search]');
    search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await nextFrame();
    expect(search.value).toBe('');
    expect(lines().length).toBeGreaterThan(4);
  });
});

describe('the tree', () => {
  const NESTED: Written[] = [
    { key: 'a:1', value: { list: [1, { deep: 'x' }], text: 'y' } },
    { key: 'a:2', value: 'two' },
    { key: 'b', value: Array.from({ length: 500 }, (_, index) => index), type: 'list' }
  ];

  it('has one tab stop, and the keys of a tree', async () => {
    await show(NESTED);
    expect(chart.element.querySelectorAll('[role=tree] [tabindex="0"]')).toHaveLength(0);
    tree().focus();
    await nextFrame();
    const active = (): string =>
      document
        .getElementById(tree().getAttribute('aria-activedescendant') ?? '')
        ?.querySelector('.pnb-item-name')?.textContent ?? '';
    expect(active()).toBe('a:');
    await press('ArrowLeft');
    expect(item('a:').getAttribute('aria-expanded')).toBe('false');
    await press('ArrowRight', 'ArrowRight');
    expect(active()).toBe('1');
    await press('ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowDown');
    expect(lines()).toContain('list [1, {deep: "x"}]');
    expect(active()).toBe('0');
    expect(item('list').getAttribute('aria-level')).toBe('3');
    await press('ArrowLeft');
    expect(active()).toBe('list');
    await press('End');
    expect(active()).toBe('b');
    await press('a');
    expect(active()).toBe('a:');
  });

  it('lists the first of what is many, and more of it on demand', async () => {
    await show(NESTED);
    await press('End', 'Enter', 'End');
    expect(lines().at(-1)).toBe('… 300 more Enter shows 300 of them');
    await press('Enter', 'End');
    expect(lines().at(-1)).toBe('499 499');
  });

  it('makes elements only of what is in view', async () => {
    await show(Array.from({ length: 10_000 }, (_, index) => ({ key: `event:${index}`, value: `x${index}` })));
    expect(lines()[0]).toContain('10,000 keys');
    await press('Home', 'ArrowRight');
    const shown = chart.element.querySelectorAll('[role=treeitem]').length;
    expect(shown).toBeGreaterThan(5);
    expect(shown).toBeLessThan(60);
    expect(item('0').getAttribute('aria-setsize')).toBe('10000');
  });

  it('keeps keys and parts apart that are named alike', async () => {
    await show([
      { key: 'a', value: { '0': 'part' } },
      { key: 'a\n0', value: 'key' }
    ]);
    await press('Home', 'ArrowRight');
    expect(lines()).toHaveLength(3);
  });
});

describe('a key', () => {
  it('is told all about: value, change, versions', async () => {
    await show(HISTORY);
    await slide(2);
    await click(item('state'));
    const pane = find('.pnb-pane');
    expect(pane.textContent).toContain('dict');
    expect([...pane.querySelectorAll('.pnb-difference tbody tr')].map(row => row.textContent)).toEqual([
      '~page12'
    ]);
    expect([...pane.querySelectorAll('pre')].map(pre => pre.textContent)).toEqual([
      '{"page": 1, "next": "a"}',
      '{"page": 2, "next": "a"}'
    ]);
    await click('version 1');
    expect(caption()).toContain('After #1 start');
    expect(find('.pnb-pane').textContent).not.toContain('Before');
  });

  it('with a long value is shown in part, and wholly on demand', async () => {
    kernel.values.mockResolvedValue(new Map([[2, JSON.stringify({ json: 'y'.repeat(9000) })]]));
    await show([
      { key: 'a', value: 'x'.repeat(5000) },
      { key: 'b', text: null }
    ]);
    await click(item('a'));
    expect(find('pre').textContent?.length).toBeLessThan(3100);
    await click('Show all (5000 characters)');
    expect(find('pre').textContent).toHaveLength(5000);
    expect(kernel.values).not.toHaveBeenCalled();
    await click(item('b'));
    await click(find('.pnb-show-all'));
    expect(kernel.values).toHaveBeenCalledWith([2]);
    expect(find('pre').textContent).toHaveLength(9000);
    expect(item('b').textContent).toContain('yyy');
  });

  it('says why the kernel does not give a long value', async () => {
    kernel.values.mockRejectedValue(new Error('the kernel is gone'));
    await show([{ key: 'b', text: null }]);
    await click(item('b'));
    await click(find('.pnb-show-all'));
    expect(find('.pnb-pane').textContent).toContain('the kernel is gone');
  });

  it('that cannot be read is shown as it is stored', async () => {
    await show([{ key: 'b', text: '{"json":1,"meta":{"values":[["class","X"]],"v":1}}', type: 'invalid' }]);
    await click(item('b'));
    expect(find('pre').textContent).toBe('{"json":1,"meta":{"values":[["class","X"]],"v":1}}');
    expect(find('.pnb-pane').textContent).toContain('Shown as it is stored');
  });
});

describe('changing by hand', () => {
  it('sends the new value when it is saved, and nothing before', async () => {
    await show(HISTORY);
    await click(item('note'));
    await click('Edit');
    await type('.pnb-edit textarea', 'yours');
    expect(kernel.write).not.toHaveBeenCalled();
    await click('Save');
    expect(kernel.write).toHaveBeenCalledWith('CalendarSync', 'note', '{"json":"yours"}');
    expect(chart.element.querySelector('.pnb-edit')).toBeNull();
    context.journal.apply(
      rowsOf([], { writes: written([{ key: 'note', value: 'yours', by: null, version: 2 }], 7) })
    );
    await nextFrame();
    expect(lines()).toContain('~ note "mine" → "yours"');
  });

  it('adds a value under a key of its own', async () => {
    await show(HISTORY);
    await click('Add a value');
    await type('.pnb-edit input', 'new:key');
    await type('.pnb-edit textarea', 'x');
    await click('Save');
    expect(kernel.write).toHaveBeenCalledWith('CalendarSync', 'new:key', '{"json":"x"}');
  });

  it('asks whether a key is meant to be empty', async () => {
    await show(HISTORY);
    await click('Add a value');
    await click('Save');
    expect(find('.pnb-edit').textContent).toContain('The key is empty. Save again');
    expect(kernel.write).not.toHaveBeenCalled();
    await click('Save');
    expect(kernel.write).toHaveBeenCalledWith('CalendarSync', '', '{"json":""}');
  });

  it('asks before it writes over a key that is there, or that another has written', async () => {
    await show(HISTORY);
    await click('Add a value');
    await type('.pnb-edit input', 'state');
    await click('Save');
    expect(kernel.write).not.toHaveBeenCalled();
    expect(find('.pnb-edit').textContent).toContain('There is such a key already, written by #2 step.');
    await click('Cancel');
    await click(item('note'));
    await click('Edit');
    context.journal.apply(rowsOf([], { writes: written([{ key: 'note', value: 'theirs', by: 3 }], 7) }));
    await nextFrame();
    await type('.pnb-edit textarea', 'yours');
    await click('Save');
    expect(find('.pnb-edit').textContent).toContain('It was written meanwhile by #3 look.');
    expect(find<HTMLTextAreaElement>('.pnb-edit textarea').value).toBe('yours');
    expect(kernel.write).not.toHaveBeenCalled();
  });

  it('deletes only after a second click', async () => {
    await show(HISTORY);
    await click(item('note'));
    await click('Delete…');
    expect(kernel.write).not.toHaveBeenCalled();
    await click('Keep it');
    await click('Delete…');
    await click('Delete it');
    expect(kernel.write).toHaveBeenCalledWith('CalendarSync', 'note', null);
  });

  it('says what the kernel has against it', async () => {
    kernel.write.mockRejectedValue(new Error('the runtime is closed'));
    await show(HISTORY);
    await click(item('note'));
    await click('Delete…');
    await click('Delete it');
    expect(find('.pnb-pane').textContent).toContain('the runtime is closed');
  });

  it.each([
    ['without a kernel', { live: false, trusted: true }, ''],
    [
      'in a notebook that is not trusted',
      { live: true, trusted: false },
      'Trust this notebook to change values.'
    ]
  ])('is not offered %s', async (_, state, told) => {
    Object.assign(kernel, state);
    await show(HISTORY);
    await click(item('note'));
    expect(() => button('Edit')).toThrow();
    expect(() => button('Add a value')).toThrow();
    expect(find('.pnb-pane').textContent).toContain(told);
    await press('F2', 'Delete');
    expect(chart.element.querySelector('.pnb-edit')).toBeNull();
    Object.assign(kernel, { live: true, trusted: true });
    listeners.forEach(tell => tell());
    await nextFrame();
    expect(button('Edit')).toBeTruthy();
  });

  it('is not offered for what was', async () => {
    await show(HISTORY);
    await slide(1);
    await click(item('state'));
    expect(() => button('Edit')).toThrow();
    expect(find('.pnb-pane').textContent).toContain('Go to now to change it.');
    expect(button('Add a value').disabled).toBe(true);
  });
});

describe('what comes from a twist', () => {
  it('is text, whatever it says', async () => {
    await show([
      { key: '<img src=x onerror=alert(1)>', value: '<script>alert(1)</script>' },
      { key: 'bidi\u202e\u2066\0key', value: { '<b>': '\u202e</b>' } },
      { key: `long:${'x'.repeat(900)}`, value: 'y'.repeat(1_000_000) }
    ]);
    for (const each of [...chart.element.querySelectorAll('[role=treeitem]')]) {
      await click(each);
      expect(chart.element.querySelector('img, script, b:not(.pnb-time b)')).toBeNull();
    }
    expect(chart.element.textContent).not.toMatch(/[\u202e\u2066\0]/);
    expect((chart.element.textContent ?? '').length).toBeLessThan(20_000);
    for (const node of chart.element.querySelectorAll('*')) {
      expect([...node.attributes].map(attribute => attribute.value).join()).not.toMatch(/[\u202e\u2066\0]/);
    }
  });

  it.each([
    ['hostile', hostile],
    ['of every type', types]
  ])('in a picture that is %s can be looked at', async (_, picture) => {
    await draw(new Journal((picture as unknown as { rows: Rows }).rows));
    expect(lines().length).toBeGreaterThan(0);
    const { length } = chart.element.querySelectorAll('[role=treeitem]');
    for (let at = 0; at < length; at += 1) {
      await press(at === 0 ? 'Home' : 'ArrowDown', 'ArrowRight');
    }
    const steps = Number(find('input[type=range]').getAttribute('max'));
    for (let step = 0; step <= steps; step += 1) {
      await slide(step);
    }
    expect(chart.element.textContent).not.toMatch(/[\u202a-\u202e\u2066-\u2069\0-\x08]/);
    expect(chart.table?.().rows.every(row => row.length === 7)).toBe(true);
  });
});

it('is a table for a file', async () => {
  await show(HISTORY);
  await slide(1);
  expect(chart.table?.()).toEqual({
    name: 'Store',
    columns: ['key', 'type', 'value', 'bytes', 'version', 'by', 'updated'],
    rows: [
      ['item:1', 'str', '{"json":"one"}', 14, 1, '#1 start', '2026-01-01T09:00:00.010Z'],
      ['item:2', 'str', '{"json":"two"}', 14, 1, '#1 start', '2026-01-01T09:00:00.020Z'],
      ['state', 'dict', '{"json":{"page":1,"next":"a"}}', 30, 1, '#1 start', '2026-01-01T09:00:00.000Z']
    ]
  });
});

it('can be disposed of while it waits for a frame', async () => {
  await show(HISTORY);
  chart.redraw();
  chart.dispose();
  context.journal.apply(rowsOf([], { writes: written([{ key: 'late', value: 1 }], 7) }));
  await nextFrame();
  expect(lines().join()).not.toContain('late');
  expect(listeners.size).toBe(0);
});
