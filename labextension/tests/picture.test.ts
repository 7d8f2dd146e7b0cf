import { beforeEach, describe, expect, it } from 'vitest';

import concurrent from '../../tests/fixtures/pictures/concurrent.json';
import firstSync from '../../tests/fixtures/pictures/first_sync.json';
import hostile from '../../tests/fixtures/pictures/hostile.json';
import retries from '../../tests/fixtures/pictures/retries.json';
import scheduled from '../../tests/fixtures/pictures/scheduled.json';
import storeTypes from '../../tests/fixtures/pictures/store_types.json';
import wrongWay from '../../tests/fixtures/pictures/wrong_way.json';
import type { Channel } from '../src/charts/link';
import { mount } from '../src/charts/picture';
import type { Mounted, Options } from '../src/charts/picture';
import type { Answer, Ask, Picture } from '../src/charts/wire';
import { nextFrame } from './kernel';
import { rowsOf } from './rows';

const FIXTURES = { concurrent, first_sync: firstSync, hostile, retries, scheduled, store_types: storeTypes, wrong_way: wrongWay };

function fixture(name: keyof typeof FIXTURES, more: Partial<Picture> = {}): Picture {
  return { ...(structuredClone(FIXTURES[name]) as unknown as Picture), ...more };
}

class Far implements Channel {
  asks: Ask[] = [];
  answer: (answer: Answer) => void = () => undefined;
  send(ask: Ask): void {
    this.asks.push(ask);
  }
  onAnswer(heard: (answer: Answer) => void): () => void {
    this.answer = heard;
    return () => undefined;
  }
  onClosed(): () => void {
    return () => undefined;
  }
  dispose(): void {}
}

let host: HTMLElement;
let far: Far;

beforeEach(() => {
  host = document.createElement('div');
  document.body.replaceChildren(host);
  far = new Far();
});

function show(picture: Picture, more: Partial<Options> = {}): Mounted {
  return mount(host, picture, far, { follow: false, trusted: () => true, save: () => undefined, ...more });
}

function tab(name: string): HTMLElement {
  return [...host.querySelectorAll<HTMLElement>('[role=tab]')].find(each => each.textContent === name)!;
}

const selected = (): string =>
  host.querySelector('[role=tab][aria-selected=true]')?.textContent ?? '';

const kinds = (): string[] => far.asks.map(ask => ask.ask);

describe('a picture', () => {
  it.each(Object.keys(FIXTURES) as (keyof typeof FIXTURES)[])(
    'of %s is drawn, and its text is text',
    name => {
      show(fixture(name));

      expect(host.querySelector('.pnb-heading')!.textContent).toMatch(/\d+ executions?, [\d,]+ requests/);
      expect(host.querySelectorAll('script, img, iframe, object')).toHaveLength(0);
    }
  );

  it.each([
    ['of a format to come', { format: 2 }, 'format 2'],
    ['with a panel that is none', { panel: '<b>x</b>' }, 'damaged'],
    ['without rows', { rows: null }, 'damaged']
  ])('%s says so', (_, more, words) => {
    show(fixture('retries', more as unknown as Partial<Picture>));

    expect(host.textContent).toContain(words);
    expect(host.querySelector('b')).toBeNull();
  });

  it('says why a chain waits, and what the first execution returned, as text', () => {
    const picture = fixture('retries');
    picture.rows.paused = 'paused after 2,000 executions: <b>step</b> keeps queueing';
    picture.rows.value = "{'page': '<i>7</i>'}";
    show(picture);

    expect(host.textContent).toContain('Ⅱ paused after 2,000 executions: <b>step</b> keeps queueing');
    expect(host.textContent).toContain("Result: {'page': '<i>7</i>'}");
  });

  it('says what it comes to where a screen reader hears it', () => {
    show(fixture('retries'));

    expect(host.querySelector('[role=status]')!.textContent).toContain('3 executions, 14 requests: 2 ok, 1 error');
  });

  it('begins with what went wrong for good', async () => {
    show(fixture('retries'));
    await nextFrame();

    expect(host.querySelector('.pnb-lower')!.textContent).toContain('#3 hopeless');
  });

  it('of nothing has no execution to select, and nothing that went well', () => {
    show(fixture('first_sync', { rows: rowsOf([]) }));

    expect(host.querySelector('.pnb-heading')!.textContent).toContain('Nothing ran.');
    expect(host.querySelector('.pnb-heading')!.textContent).not.toContain('✓');
    expect(host.querySelector<HTMLElement>('.pnb-lower')!.hidden).toBe(true);
  });

  it('leaves nothing behind', () => {
    show(fixture('first_sync')).dispose();

    expect(host.childNodes).toHaveLength(0);
  });
});

describe('tabs', () => {
  it('are one stop, and the arrow keys go around them', () => {
    show(fixture('first_sync'));
    const press = (key: string): void => {
      const at = host.querySelector('[role=tab][aria-selected=true]')!;
      at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    };
    press('Home');
    const seen = [selected()];
    for (let step = 0; step < 6; step += 1) {
      press('ArrowRight');
      seen.push(selected());
    }
    press('ArrowLeft');
    seen.push(selected());

    expect(seen).toEqual(['Budget', 'Chain', 'Store', 'Progress', 'Logs', 'State', 'Budget', 'State']);
    expect(host.querySelectorAll('[role=tab][tabindex="0"]')).toHaveLength(1);
  });

  it('open with the budget when a single execution has ended, unless the user has chosen', () => {
    const seen = [false, true].map(chooses => {
      const running = fixture('wrong_way', { source: 'key' });
      running.rows.running = true;
      const mounted = show(running);
      const before = selected();
      if (chooses) {
        tab('Store').click();
      }
      mounted.update(fixture('wrong_way', { source: 'key' }));
      const after = selected();
      mounted.dispose();
      return [before, after];
    });

    expect(seen).toEqual([
      ['Chain', 'Budget'],
      ['Chain', 'Store']
    ]);
  });

  it('have none for progress where nothing tells of it', () => {
    const picture = fixture('first_sync');
    picture.rows.progress = null;
    show(picture);

    expect(tab('Progress').hidden).toBe(true);
  });

  it('show one panel at a time, each named by its tab', () => {
    show(fixture('first_sync'));
    tab('Store').click();
    const panels = [...host.querySelectorAll<HTMLElement>('[role=tabpanel]')].filter(each => !each.hidden);

    expect(panels.map(each => each.getAttribute('aria-labelledby'))).toEqual([tab('Store').id]);
  });
});

describe('what a picture asks by itself', () => {
  it('is nothing, if it was saved', () => {
    show(fixture('first_sync', { source: 'key', live: true }));
    tab('Budget').click();
    tab('Store').click();

    expect(kinds()).toEqual([]);
  });

  it('is how it goes on, if it was running and the user trusts it', () => {
    const running = fixture('first_sync', { source: 'key' });
    running.rows.running = true;
    show(running);

    expect(kinds()).toEqual(['follow']);
  });

  it('is nothing, if somebody else wrote that it runs', () => {
    const running = fixture('first_sync', { source: 'key' });
    running.rows.running = true;
    show(running, { trusted: () => false });

    expect(kinds()).toEqual([]);
  });

  it.each([
    ['the rest of what is selected, if the kernel has just shown it', true, ['detail']],
    ['nothing of what is selected, if it comes from a file', false, []]
  ])('is %s', async (_, follow, asked) => {
    show(fixture('wrong_way', { source: 'key' }), { follow });
    await nextFrame();

    expect(kinds()).toEqual(asked);
  });

  it.each([
    ['a live one the kernel has just shown', true, ['follow']],
    ['of a run that has ended', false, []]
  ])('for %s', (_, live, asked) => {
    show(fixture('first_sync', { source: 'key', live }), { follow: true }).follow();

    expect(kinds()).toEqual(asked);
  });
});

describe('the head of a picture of what runs', () => {
  const heading = (): string => host.querySelector('.pnb-heading')!.textContent!;

  function running(): Picture {
    const picture = fixture('first_sync', { source: 'key', title: 'Sync.start' });
    picture.rows.running = true;
    return picture;
  }

  it('says so while the kernel tells of it, and no more in the end', () => {
    const mounted = show(running());
    const before = heading();
    mounted.update(fixture('first_sync', { source: 'key', title: 'Sync.start' }));

    expect(before).toContain('Sync.start, running: 26 executions');
    expect(heading()).toContain('Sync.start: 26 executions');
  });

  it('says only that it ran, where nobody tells of it', () => {
    show(running(), { trusted: () => false });

    expect(heading()).toContain('Sync.start, running when last heard of: 26 executions');
  });

  it.each([
    ['the budget of a single execution', 'wrong_way', 'Budget'],
    ['the chain, if something waits for its time', 'scheduled', 'Chain']
  ] as const)('stands above %s', (_, ahead, tabName) => {
    show(fixture('wrong_way', { rows: { ...fixture('wrong_way').rows, scheduled: fixture(ahead).rows.scheduled } }));

    expect(selected()).toBe(tabName);
  });
});

describe('what a saved picture leaves out', () => {
  const rest = (): HTMLElement => host.querySelector<HTMLElement>('.pnb-rest')!;

  function partial(more: Partial<Picture> = {}): Picture {
    const picture = fixture('first_sync', { source: 'key', ...more });
    picture.rows.writes_left_out = 1000;
    return picture;
  }

  it('is asked for with a click, where it is missed', () => {
    show(partial());
    const before = rest().hidden;
    tab('Store').click();
    const words = rest().textContent;
    rest().querySelector('button')!.click();

    expect(before).toBe(true);
    expect(words).toMatch(/This saved picture has \d+ of 1026 writes of the Store/);
    expect(far.asks).toMatchObject([{ ask: 'follow', after: { attempt: 0, write: 0 } }]);
    expect(rest().hidden).toBe(true);
  });

  it('is asked for without one, if the kernel has just shown the picture', () => {
    show(partial(), { follow: true });
    const before = kinds();
    tab('Store').click();

    expect(before).toEqual([]);
    expect(kinds()).toEqual(['follow']);
  });

  it('is gone with the kernel that ran it, and that is said', () => {
    show(partial());
    tab('Store').click();
    rest().querySelector('button')!.click();
    far.answer({ view: (far.asks[0] as { view: string }).view, gone: true });

    expect(rest().hidden).toBe(false);
    expect(rest().textContent).toContain('run the cell again');
    expect(rest().querySelector('button')!.hidden).toBe(true);
  });

  it('is not spoken of without a kernel', () => {
    show(partial({ source: null }));
    tab('Store').click();

    expect(rest().hidden).toBe(true);
  });
});

describe('the selection', () => {
  it('is told when a user makes it, not when a picture begins with one', async () => {
    show(fixture('first_sync', { source: 'key' }));
    await nextFrame();
    const before = kinds();
    host.querySelector<HTMLElement>('.pnb-lower button')!.click(); // `queued by #1 start_sync`

    expect(before).toEqual([]);
    expect(far.asks.filter(ask => ask.ask === 'select')).toMatchObject([{ id: fixture('first_sync').rows.executions.id[0] }]);
  });

  it('made in Python is shown, and not told back', async () => {
    const picture = fixture('first_sync', { source: 'key' });
    show(picture);
    far.answer({ view: null, selected: picture.rows.executions.id[4]! });
    await nextFrame();

    expect(host.querySelector('.pnb-lower')!.textContent).toContain('#5 sync_page');
    expect(kinds()).not.toContain('select');
  });
});

describe('a picture that takes the place of another', () => {
  it('keeps the open tab if it is of the same thing', () => {
    const mounted = show(fixture('first_sync', { source: 'key' }));
    tab('Store').click();
    mounted.update(fixture('first_sync', { source: 'key' }));

    expect(selected()).toBe('Store');
  });

  it('is drawn anew if it is of another', () => {
    const mounted = show(fixture('first_sync', { source: 'key' }));
    mounted.update(fixture('retries', { source: 'other' }));

    expect(host.querySelector('.pnb-heading')!.textContent).toContain('3 executions');
  });

  it('is kept in the document when the kernel gives it at the end', () => {
    const kept: Picture[] = [];
    const running = fixture('first_sync', { source: 'key' });
    running.rows.running = true;
    show(running, { save: picture => kept.push(picture) });
    const ended = fixture('first_sync', { source: 'key' });
    far.answer({ view: far.asks[0]!.view, picture: ended });

    expect(kept).toEqual([ended]);
  });
});
