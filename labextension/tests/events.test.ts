/** A run with tools, webhooks, drains and a rate over its limit. */

import { expect, it } from 'vitest';
import events from '../../tests/fixtures/pictures/events.json';
import { mount } from '../src/charts/picture';
import { isReserved } from '../src/charts/history';
import { Journal } from '../src/charts/journal';
import { outcomeWords } from '../src/charts/outcome';
import type { Picture } from '../src/charts/wire';
import { rowsOf } from './rows';

it('says above the charts that Plot would suspend the twist, and nothing where it would not', () => {
  const picture = structuredClone(events) as Picture;
  const shown = (): HTMLElement => {
    const host = document.createElement('div');
    document.body.append(host);
    mount(host, picture, null, { follow: false, trusted: () => true, save() {} });
    return host.querySelector<HTMLElement>('.pnb-rate')!;
  };
  expect(shown().textContent).toContain('▲ Plot would suspend this twist here: $5.20 in 4 hours');
  picture.rows.rate = null;
  expect(shown().hidden).toBe(true);
});

it('a pass of a drain is called by its key and its handler', () => {
  const journal = new Journal((events as Picture).rows);
  expect(journal.methodAt(6)).toBe('__drain__ changed → handle');
});

it('what was suspended neither failed nor went well', () => {
  const journal = new Journal(rowsOf([{ id: 1, outcome: 'suspended' }, { id: 2 }]));
  expect(journal.failed).toBe(false);
  expect(journal.summary()).toContain('1 ok, 1 suspended');
  expect(outcomeWords(journal.attempt(0))[0]).toBe('Ⅱ suspended');
});

it('locks of tools are hidden as those of the twist are', () => {
  expect(isReserved('__tool__:calendar.auth:__lock__:refresh')).toBe(true);
  expect(isReserved('__tool__:calendar.auth:token')).toBe(false);
});
