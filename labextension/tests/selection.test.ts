import { expect, test } from 'vitest';

import { Selection } from '../src/charts/selection';

test('who listens hears of each change once', () => {
  const selection = new Selection(1);
  const heard: (number | null)[] = [];
  const end = selection.subscribe(id => heard.push(id));
  selection.set(1);
  selection.set(2);
  selection.set(2);
  selection.set(null);
  end();
  selection.set(3);
  expect(heard).toEqual([2, null]);
  expect(selection.value).toBe(3);
});

test('a listener may leave while it is told', () => {
  const selection = new Selection();
  const heard: string[] = [];
  const end = selection.subscribe(() => {
    heard.push('first');
    end();
  });
  selection.subscribe(() => heard.push('second'));
  selection.set(1);
  selection.set(2);
  expect(heard).toEqual(['first', 'second', 'second']);
});
