import { describe, expect, it } from 'vitest';
import { byName, flatten, makeTree, segments, tallied } from '../src/charts/tree';
import type { Branch, Folder } from '../src/charts/tree';

function outline(tree: Branch[], indent = ''): string[] {
  return tree.flatMap(branch =>
    branch.kind === 'folder'
      ? [`${indent}${branch.label} ${branch.keys}`, ...outline(branch.children, `${indent}  `)]
      : [`${indent}${branch.label}`]
  );
}

describe('a key', () => {
  it.each([
    ['page', ['page']],
    ['event:1', ['event:', '1']],
    ['event:2026/01:7', ['event:', '2026/', '01:', '7']],
    ['https://a.example/b', ['https://', 'a.example/', 'b']],
    ['ends:', ['ends:']],
    [':', [':']],
    ['', ['']]
  ])('%j is split behind its separators', (key, expected) => {
    expect(segments(key)).toEqual(expected);
  });
});

it.each([
  [['10', '9', '1', '100', '99']],
  [['a10b', 'a9b', 'a10', 'a', 'a9', '', 'b1']],
  [['007', '07', '7', '10', '08']],
  [['2026-10', '2026-9', '2025-11']],
  [['x1y2', 'x1y10', 'x10y1', 'x1']]
])('%j is in an order, and the same from wherever one begins', texts => {
  const sorted = [...texts].sort(byName);
  expect([...texts].reverse().sort(byName)).toEqual(sorted);
  for (let at = 1; at < sorted.length; at += 1) {
    expect(byName(sorted[at - 1] ?? '', sorted[at] ?? '')).toBeLessThan(0);
    expect(byName(sorted[at] ?? '', sorted[at - 1] ?? '')).toBeGreaterThan(0);
  }
  expect(byName(texts[0] ?? '', texts[0] ?? '')).toBe(0);
});

describe('the tree', () => {
  it('has a folder for keys that begin alike, with their number, and counts as people do', () => {
    expect(outline(makeTree(['event:10', 'event:9', 'state', 'event:1/a', 'event:1/b']))).toEqual([
      'event: 4',
      '  1/ 2',
      '    a',
      '    b',
      '  9',
      '  10',
      'state'
    ]);
  });

  it('joins what has nothing beside it', () => {
    expect(outline(makeTree(['a:b/c:1', 'a:b/c:2', 'x:y:z']))).toEqual(['a:b/c: 2', '  1', '  2', 'x:y:z']);
  });

  it('tells a key from the folder that is named alike', () => {
    expect(outline(makeTree(['user', 'user:1', 'user:2', 'user:']))).toEqual([
      'user',
      'user: 2',
      '  1',
      '  2',
      'user:'
    ]);
  });

  it('keeps the whole key, whatever its label', () => {
    const [folder] = makeTree(['a:b:1', 'a:b:2']) as [Folder];
    expect(folder.path).toBe('a:b:');
    expect(folder.children.map(child => (child.kind === 'leaf' ? child.key : ''))).toEqual([
      'a:b:1',
      'a:b:2'
    ]);
  });

  it('takes keys that are chosen to be deep, or like names of JavaScript', () => {
    const deep = `${'a:'.repeat(511)}z`;
    expect(outline(makeTree([deep]))).toEqual([deep]);
    const branches = makeTree([deep, ...Array.from({ length: 511 }, (_, depth) => `${'a:'.repeat(depth)}b`)]);
    expect(flatten(branches, () => true)).toHaveLength(1022);
    expect(outline(makeTree(['__proto__:a', '__proto__:b', 'constructor']))).toEqual([
      '__proto__: 2',
      '  a',
      '  b',
      'constructor'
    ]);
  });

  it('is flat where folders are closed', () => {
    const tree = makeTree(['a:1', 'a:2', 'b:1', 'b:2', 'c']);
    const rows = flatten(tree, folder => folder.path === 'b:');
    expect(rows.map(row => [row.branch.label, row.level, row.open, row.place, row.siblings])).toEqual([
      ['a:', 1, false, 1, 3],
      ['b:', 1, true, 2, 3],
      ['1', 2, false, 1, 2],
      ['2', 2, false, 2, 2],
      ['c', 1, false, 3, 3]
    ]);
  });

  it('counts the changes in a folder', () => {
    const [folder] = makeTree(['a:1', 'a:2', 'a:b:3', 'a:b:4']) as [Folder];
    const changed = new Map([
      ['a:1', 'added'],
      ['a:b:3', 'added'],
      ['a:b:4', 'cleared']
    ] as const);
    expect([...tallied(folder, key => changed.get(key as 'a:1'))]).toEqual([
      ['added', 2],
      ['cleared', 1]
    ]);
  });
});
