import { describe, expect, it } from 'vitest';
import { Histories, StoreHistory } from '../src/charts/history';
import type { Write } from '../src/charts/journal';

let ids = 0;

function write(key: string, by: number | null, text: string | null, also: Partial<Write> = {}): Write {
  ids += 1;
  const type = text === null ? 'cleared' : 'str';
  return { id: ids, twist: 'T', key, version: 1, type, bytes: 9, updated: ids, by, text, ...also };
}

function history(...writes: Write[]): StoreHistory {
  const found = new StoreHistory();
  const versions = new Map<string, number>();
  for (const each of writes) {
    const version = (versions.get(each.key) ?? 0) + 1;
    versions.set(each.key, version);
    found.add({ ...each, version: each.version > 1 ? each.version : version });
  }
  return found;
}

function state(store: StoreHistory, step: number): Record<string, string | null> {
  return Object.fromEntries([...store.stateAt(step)].map(([key, found]) => [key, found.text]));
}

function changes(store: StoreHistory, step: number): unknown[] {
  return [...store.changesAt(step)].map(([key, change]) => [
    key,
    change.kind,
    change.before && change.before.text,
    change.after.text
  ]);
}

describe('steps', () => {
  it('are the writes of one attempt together, and each of those by hand', () => {
    const store = history(
      write('a', 1, 'x'),
      write('b', 1, 'x'),
      write('a', 2, 'y'),
      write('a', null, 'z'),
      write('b', null, 'z')
    );
    expect(store.steps).toEqual([
      { by: 1, first: 0, last: 1 },
      { by: 2, first: 2, last: 2 },
      { by: null, first: 3, last: 3 },
      { by: null, first: 4, last: 4 }
    ]);
    expect(store.stepOf(2)).toBe(2);
    expect(store.stepOf(9)).toBe(0);
  });

  it('of an attempt that wrote nothing is the last before it', () => {
    const store = history(write('a', 3, 'x'), write('a', 7, 'y'), write('a', null, 'z', { updated: 50 }));
    expect(store.stepAfter(2, 10)).toBe(0);
    expect(store.stepAfter(5, 10)).toBe(1);
    expect(store.stepAfter(8, 10)).toBe(2);
    expect(store.stepAfter(8, 60)).toBe(3);
    expect(store.stepAfter(8, null)).toBe(3);
    expect(store.stepAfter(7, 10)).toBe(2);
  });
});

describe('the state', () => {
  const store = history(
    write('a', 1, 'one'),
    write('b', 1, 'two'),
    write('a', 2, 'three'),
    write('b', 3, null),
    write('b', null, 'four')
  );

  it.each([
    [0, {}],
    [1, { a: 'one', b: 'two' }],
    [2, { a: 'three', b: 'two' }],
    [3, { a: 'three' }],
    [4, { a: 'three', b: 'four' }],
    [99, { a: 'three', b: 'four' }]
  ])('after step %i has what was written and not cleared', (step, expected) => {
    expect(state(store, step)).toEqual(expected);
  });

  it('has the versions of a key, the newest first', () => {
    expect(store.versions('b', 3).map(found => found.text)).toEqual([null, 'two']);
    expect(store.versions('nothing', 3)).toEqual([]);
    expect(store.versions('b', 4).map(found => store.stepWith(found))).toEqual([4, 3, 1]);
  });
});

describe('changes', () => {
  it('are those of the attempt of the step, from before it to after it', () => {
    const store = history(
      write('kept', 1, 'x'),
      write('gone', 1, 'x'),
      write('changed', 1, 'x'),
      write('again', 1, 'x'),
      write('new', 2, 'y'),
      write('changed', 2, 'y'),
      write('changed', 2, 'z'),
      write('again', 2, 'x'),
      write('gone', 2, null)
    );
    expect(changes(store, 2)).toEqual([
      ['new', 'added', null, 'y'],
      ['changed', 'changed', 'x', 'z'],
      ['again', 'same', 'x', 'x'],
      ['gone', 'cleared', 'x', null]
    ]);
    expect(changes(store, 0)).toEqual([]);
  });

  it('of attempts that ran at the same time are told apart', () => {
    const store = history(write('a', 1, 'x'), write('b', 2, 'x'), write('a', 1, 'y'), write('b', 2, 'y'));
    expect(changes(store, 3)).toEqual([['a', 'added', null, 'y']]);
    expect(changes(store, 4)).toEqual([['b', 'added', null, 'y']]);
    expect(changes(store, 1)).toEqual([['a', 'added', null, 'x']]);
  });

  it('by hand are of that write alone', () => {
    const store = history(write('a', null, 'x'), write('b', null, 'x'), write('a', null, 'y'));
    expect(changes(store, 3)).toEqual([['a', 'changed', 'x', 'y']]);
  });

  it('say so where the value before is not in the picture', () => {
    const store = history(write('a', 1, 'x', { version: 5 }), write('b', 1, null, { version: 2 }));
    expect([...store.changesAt(1).values()].map(change => [change.kind, change.before])).toEqual([
      ['changed', undefined],
      ['cleared', undefined]
    ]);
  });

  it('after a clear are additions', () => {
    const store = history(write('a', 1, 'x'), write('a', 2, null), write('a', 3, 'x'));
    expect(changes(store, 3)).toEqual([['a', 'added', null, 'x']]);
  });

  it('of long values, whose text is not there, count as changes', () => {
    const store = history(write('a', 1, null, { type: 'str' }), write('a', 2, null, { type: 'str' }));
    expect(changes(store, 2)).toEqual([['a', 'changed', null, null]]);
  });
});

describe('histories', () => {
  it('are of one twist each, and take only what is new', () => {
    const found = new Histories();
    const writes = [write('a', 1, 'x'), write('a', 1, 'y', { twist: 'Other' })];
    expect(found.update(writes)).toBe(true);
    expect(found.update(writes)).toBe(false);
    writes.push(write('b', 2, 'z'));
    expect(found.update(writes)).toBe(true);
    expect([...found.of].map(([twist, store]) => [twist, store.writes.length])).toEqual([
      ['T', 2],
      ['Other', 1]
    ]);
  });

  it('take the text that came later for a write that they know', () => {
    const found = new Histories();
    const first = write('a', 1, null, { type: 'str' });
    found.update([first, write('b', 1, 'x')]);
    found.update([{ ...first, text: 'long' }, write('b', 1, 'x', { id: ids })]);
    expect(found.of.get('T')?.stateAt(1).get('a')?.text).toBe('long');
    expect(found.of.get('T')?.writes).toHaveLength(2);
  });
});
