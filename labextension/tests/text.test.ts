import { expect, test } from 'vitest';

import cases from '../../tests/fixtures/texts.json';
import { block, line } from '../src/charts/text';

test.each([
  ['block', block],
  ['line', line]
] as const)('%s makes a text safe as it does in Python', (name, show) => {
  const own = (cases.texts as [string, string, number, string][]).filter(([which]) => which === name);
  expect(own.length).toBeGreaterThan(20);
  for (const [, raw, limit, shown] of own) {
    expect(show(raw, limit)).toBe(shown);
  }
});

test('what is missing is no text', () => {
  expect([block(null, 10), line(undefined)]).toEqual(['', '']);
});

test('a megabyte is cut before it is read through, and its length told', () => {
  const began = performance.now();
  expect(line('\u202e'.repeat(1_000_000), 200)).toMatch(/^(\[U\+202E\]){25}… \(1,000,000 characters\)$/);
  expect(performance.now() - began).toBeLessThan(250);
});
