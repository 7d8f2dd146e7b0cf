import { expect, test } from 'vitest';

import { pageOf, rowBeside, rowsAround, rowsInView, topFor } from '../src/charts/scrolledrows';
import type { Extent } from '../src/charts/scrolledrows';

/** Ten rows of 20 pixels of a hundred. */
const at = (top: number, length = 100): Extent => ({ length, rowHeight: 20, top, room: 200 });

test.each([
  [at(0), [0, 10]],
  [at(10), [0, 11]],
  [at(400), [20, 30]],
  [at(0, 4), [0, 4]],
  [at(400, 4), [4, 4]],
  [at(0, 0), [0, 0]]
])('a row of which a part is in view is in view (%o)', (extent, rows) => {
  expect(rowsInView(extent)).toEqual(rows);
});

test('there are elements for some rows beyond those in view, and for none that there is not', () => {
  const [first, end] = rowsAround(at(400));

  expect([first < 20, end > 30]).toEqual([true, true]);
  expect(rowsAround(at(0, 4))).toEqual([0, 4]);
});

test.each([
  [0, 400, 0],
  [19, 400, 380],
  [20, 400, 400],
  [29, 400, 400],
  [30, 400, 420],
  [99, 0, 1800]
])('to see row %i from %i pixels on, it is scrolled to %i', (row, top, wanted) => {
  expect(topFor(row, at(top))).toBe(wanted);
});

test.each([
  ['ArrowDown', 5, 6],
  ['ArrowDown', 99, 99],
  ['ArrowUp', 5, 4],
  ['ArrowUp', 0, 0],
  ['ArrowDown', -1, 0],
  ['PageDown', 5, 14],
  ['PageUp', 5, 0],
  ['Home', 5, 0],
  ['End', 5, 99],
  ['Enter', 5, null]
])('%s goes from row %i to %s', (key, row, wanted) => {
  expect(rowBeside(key, row, 100, pageOf(at(0)))).toBe(wanted);
});
