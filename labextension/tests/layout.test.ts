import { expect, test } from 'vitest';

import { Journal } from '../src/charts/journal';
import { Layout } from '../src/charts/layout';
import { chainOf, rowsOf } from './rows';

test('a sample of attempts that makes room for all of them is laid out as all of them', () => {
  const all = chainOf(40).map(made => (made.id % 10 === 0 ? { ...made, outcome: 'error' } : made));
  const journal = new Journal(rowsOf([...all.slice(0, 5), ...all.slice(-6)], { left_out: 29 }));
  const layout = new Layout();
  layout.take(journal);
  journal.apply(rowsOf(all, { from: { attempt: 0, write: 0 } }));
  layout.take(journal);
  const fresh = new Layout();
  fresh.take(new Journal(rowsOf(all)));
  const lanes = (of: Layout): number[][] => of.lanes.all.map(({ items }) => items);
  expect(lanes(layout)).toEqual(lanes(fresh));
  expect(layout.failures).toEqual([9, 19, 29, 39]);
});
