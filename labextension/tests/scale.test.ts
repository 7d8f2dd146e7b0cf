import { expect, test } from 'vitest';

import { LinearScale, niceStep, niceTicks } from '../src/charts/scale';

test('a place leads back to its figure', () => {
  const scale = new LinearScale([100, 300], [0, 50]);
  expect([100, 200, 300].map(value => scale.at(value))).toEqual([0, 25, 50]);
  expect(scale.invert(scale.at(137))).toBeCloseTo(137);
});

test('a scale of nothing draws all at its start', () => {
  expect(new LinearScale([5, 5], [10, 90]).at(5)).toBe(10);
  expect(new LinearScale([0, 9], [10, 10]).invert(10)).toBe(0);
});

test('steps are one, two or five', () => {
  expect([0.03, 1, 1.1, 3, 70, 100, 501].map(niceStep)).toEqual([0.05, 1, 2, 5, 100, 100, 1000]);
  expect([0, -1, NaN, Infinity].map(niceStep)).toEqual([1, 1, 1, 1]);
});

test.each([1, 0.7, 12, 1000, 123_456])('ticks up to %d are round, few and within', end => {
  const found = niceTicks(0, end, 5);
  expect(found[0]).toBe(0);
  expect(found.length).toBeLessThanOrEqual(5);
  expect(Math.max(...found)).toBeLessThanOrEqual(end);
  expect(found.every(tick => String(tick).length < 8)).toBe(true);
});

test('a range of nothing has one tick', () => {
  expect(niceTicks(3, 3)).toEqual([3]);
  expect(niceTicks(3, Infinity)).toEqual([3]);
});
