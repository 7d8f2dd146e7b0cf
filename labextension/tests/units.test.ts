import { expect, test } from 'vitest';

import cases from '../../tests/fixtures/units.json';
import { count, counted, duration, fixed, general, memory, percent, tick, ticks } from '../src/charts/units';

type Cases = [unknown, unknown][];

const TOLD: Record<keyof typeof cases, (...given: never[]) => unknown> = {
  count,
  counted,
  percent,
  duration,
  memory,
  ticks,
  tick
};

test.each(Object.entries(TOLD))('%s reads as it does in Python', (name, tell) => {
  for (const [given, told] of cases[name as keyof typeof cases] as unknown as Cases) {
    const args = (Array.isArray(given) ? given : [given]) as never[];
    expect([given, tell(...args)]).toEqual([given, told]);
  }
});

test('of two numbers that are equally near, the even one is told', () => {
  expect([0.5, 1.5, 2.5, -1.5, -2.5].map(value => fixed(value, 0))).toEqual(['0', '2', '2', '-2', '-2']);
  expect([0.125, 0.375, 1.005].map(value => fixed(value, 2))).toEqual(['0.12', '0.38', '1.00']);
  expect([0.25, 0.35, 1e22, 1e-5, 999.5].map(value => general(value, 1))).toEqual(['0.2', '0.3', '1e+22', '1e-05', '1e+03']);
});
