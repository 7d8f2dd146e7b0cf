import { beforeEach, describe, expect, it, vi } from 'vitest';

import { feedOf, filtered, NO_FILTER, tallyOf, windowOf } from '../src/charts/feed';
import type { Entry, Feed } from '../src/charts/feed';
import { factsOf, WaterfallView } from '../src/charts/waterfall';
import type { WaterfallFacts } from '../src/charts/waterfall';
import { waterfallSvg } from '../src/charts/waterfallfile';
import { detailOf, HOSTILE, intruders, named, requestsOf } from './details';
import type { MadeLog, MadeRequest } from './details';

function feed(requests: MadeRequest[], logs: MadeLog[] = [], made = requests.length, limit = 1000): Feed {
  return feedOf(detailOf(1, requests, logs), 0, made, limit);
}

/** `1 2 info 3 …7`: requests by number, logs by level, gaps by how many are missing. */
function said(entries: readonly Entry[]): string {
  return entries
    .map(entry =>
      entry.type === 'request' ? entry.seq : entry.type === 'log' ? entry.text : `…${entry.missing}`
    )
    .join(' ');
}

function facts(shown: Feed, more: Partial<WaterfallFacts> = {}): WaterfallFacts {
  return { label: '#2 sync_page', feed: shown, span: shown.end, limit: 1000, ...more };
}

function view(shown: Feed): {
  view: WaterfallView;
  look: ReturnType<typeof vi.fn>;
  unpick: ReturnType<typeof vi.fn>;
  grid: HTMLElement;
} {
  const look = vi.fn();
  const unpick = vi.fn();
  const made = new WaterfallView({ look, unpick });
  document.body.replaceChildren(made.element);
  made.show(facts(shown), true);
  return { view: made, look, unpick, grid: made.element.querySelector<HTMLElement>('[role=grid]')! };
}

function press(target: Element, key: string): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

beforeEach(() => document.body.replaceChildren());

describe('requests and logs in one order', () => {
  it('puts a log behind the requests that had been made before it', () => {
    const logs = [
      { seq: 0, text: 'a' },
      { seq: 2, text: 'b' },
      { seq: 2, text: 'c' },
      { seq: 3, text: 'd' }
    ];

    expect(said(feed(requestsOf(3), logs).entries)).toBe('a 1 2 b c 3 d');
  });

  it('keeps the place of requests that a saved picture does without, and the logs among them', () => {
    const saved = feed(
      requestsOf(2),
      [
        { seq: 1, text: 'a' },
        { seq: 700, text: 'b' }
      ],
      1000
    );

    expect(said(saved.entries)).toBe('1 a 2 …998 b');
    expect(saved).toMatchObject({ performed: 2, missing: 998 });
  });

  it('has the one request that was refused, and does not count it', () => {
    const over = feed([...requestsOf(4), { seq: 5, duration_ms: null }], [{ seq: 4, text: 'a' }], 4, 4);

    expect(said(over.entries)).toBe('1 2 3 4 a 5');
    expect(over).toMatchObject({ performed: 4, missing: 0 });
    expect(over.entries[5]).toMatchObject({ refused: true, took: null });
  });

  it('counts times from the start of the attempt', () => {
    const shown = feedOf(detailOf(1, [{ seq: 1, started: 1020 }], [{ seq: 1, time: 1030 }]), 1000, 1, 1000);

    expect(shown.entries).toMatchObject([{ from: 20, took: 5 }, { from: 30 }]);
    expect(shown.end).toBe(30);
  });

  it('takes a running attempt that has made more requests than the journal says', () => {
    expect(feed(requestsOf(3), [], 0).missing).toBe(0);
  });
});

describe('a filter', () => {
  const mixed = feed(
    [
      { seq: 1, name: 'network.fetch', line: 7 },
      { seq: 2, line: 8, error: 'TypeError: no' },
      { seq: 3, line: 8, detail: 'Item:9' }
    ],
    [
      { seq: 1, text: 'note', line: 8 },
      { seq: 3, text: 'ouch', level: 'error', line: 9 }
    ],
    90
  );

  it.each([
    ['all', NO_FILTER, '1 note 2 3 ouch …87'],
    ['a line', { ...NO_FILTER, line: 8 }, 'note 2 3'],
    ['no known line', { ...NO_FILTER, line: null }, ''],
    ['a kind', { ...NO_FILTER, wanted: new Set(['network'] as const) }, '1'],
    ['logs', { ...NO_FILTER, wanted: new Set(['logs'] as const) }, 'note ouch'],
    ['what went wrong', { ...NO_FILTER, wanted: new Set(['problems'] as const) }, '2 ouch'],
    ['either of two', { ...NO_FILTER, wanted: new Set(['network', 'problems'] as const) }, '1 2 ouch'],
    ['a text, however it is written', { ...NO_FILTER, text: ' iTEM:9' }, '3'],
    ['a line and a text', { ...NO_FILTER, line: 8, text: 'no' }, 'note 2']
  ])('for %s leaves that', (_, filter, left) => {
    expect(said(filtered(mixed.entries, filter))).toBe(left);
  });

  it('is offered for what there is', () => {
    expect([...tallyOf(mixed)]).toEqual([
      ['store', 2],
      ['network', 1],
      ['logs', 2],
      ['problems', 2]
    ]);
  });
});

describe('the time of the rows in view', () => {
  it('goes from the first start to the last end of these rows', () => {
    const shown = feed([
      { seq: 1, started: 10, duration_ms: 500 },
      { seq: 2, started: 20 },
      { seq: 3, started: 40 }
    ]);

    expect(windowOf(shown.entries, 1, 2)).toEqual([20, 45]);
    expect(windowOf(shown.entries, 0, 2)).toEqual([10, 510]);
    expect(windowOf([], 0, 0)).toEqual([0, 1]);
  });
});

describe('the waterfall on the screen', () => {
  it('makes elements only of the rows near to those in view', () => {
    const { grid } = view(feed(requestsOf(1000)));

    expect(grid.getAttribute('aria-rowcount')).toBe('1001');
    expect(grid.querySelectorAll('[role=rowgroup]:last-child [role=row]').length).toBeLessThan(60);
  });

  it('is one tab stop, in which the arrow keys move', () => {
    const { grid, look } = view(feed(requestsOf(1000, { line: 18 })));
    grid.focus();
    press(grid, 'End');
    const active = document.getElementById(grid.getAttribute('aria-activedescendant') ?? '');

    expect(active?.getAttribute('aria-rowindex')).toBe('1001');
    expect(active?.getAttribute('aria-selected')).toBe('true');
    expect(look).toHaveBeenLastCalledWith(18, false);
    press(grid, 'ArrowUp');
    expect(document.getElementById(grid.getAttribute('aria-activedescendant') ?? '')?.textContent).toContain(
      '999'
    );
    press(grid, 'Home');
    expect(
      document.getElementById(grid.getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-rowindex')
    ).toBe('2');
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(0);
  });

  it('tells all of the active row', () => {
    const { view: shown, grid } = view(
      feed([{ seq: 1, detail: 'k'.repeat(1500), line: 4, error: 'TimeoutError: no answer' }])
    );
    press(grid, 'Home');

    expect(shown.element.textContent).toContain(
      'Request 1: store.set, line 4, +5 ms, took 5 ms, 80 B out, 14 B in, 0.1 ms of CPU before it'
    );
    expect(shown.element.textContent).toContain('k'.repeat(1500));
  });

  it('shows only one line where that is picked, and Escape ends it', () => {
    const {
      view: shown,
      grid,
      unpick
    } = view(
      feed([
        { seq: 1, line: 4 },
        { seq: 2, line: 5 },
        { seq: 3, line: 4 }
      ])
    );
    shown.setLine(4);

    expect(said(shown.entries)).toBe('1 3');
    expect(grid.getAttribute('aria-label')).toBe('Requests and logs of #2 sync_page: 2 of 3 requests');
    press(grid, 'Escape');
    expect(unpick).toHaveBeenCalledOnce();
    named(shown.element, 'line 4 only').click();
    expect(unpick).toHaveBeenCalledTimes(2);
  });

  it('shows only a kind where its button is pressed, and keeps the focus there', () => {
    const { view: shown } = view(feed([{ seq: 1, name: 'network.fetch' }, { seq: 2 }]));
    named(shown.element, 'network 1').focus();
    named(shown.element, 'network 1').click();

    expect(said(shown.entries)).toBe('1');
    expect(named(shown.element, 'network 1').getAttribute('aria-pressed')).toBe('true');
    expect(document.activeElement).toBe(named(shown.element, 'network 1'));
    named(shown.element, 'network 1').click();
    expect(said(shown.entries)).toBe('1 2');
  });

  it('forgets the filter with another execution, and keeps it while the same goes on', () => {
    const { view: shown } = view(
      feed([
        { seq: 1, line: 4 },
        { seq: 2, line: 5 }
      ])
    );
    shown.setLine(4);
    shown.show(facts(feed([...requestsOf(1, { line: 4 }), { seq: 2, line: 5 }, { seq: 3, line: 4 }])), false);
    expect(said(shown.entries)).toBe('1 3');

    shown.show(facts(feed(requestsOf(2))), true);
    expect(said(shown.entries)).toBe('1 2');
  });

  it('says of failures in shape and words what they are', () => {
    const { grid } = view(
      feed(
        [
          { seq: 1, error: 'TimeoutError: no answer' },
          { seq: 1001, duration_ms: null }
        ],
        [{ seq: 1, level: 'warning' }],
        1
      )
    );

    expect(grid.textContent).toContain('✕ TimeoutError: no answer');
    expect(grid.textContent).toContain('✕ refused: one more than 1000');
    expect(grid.textContent).toContain('▲warning');
  });

  it('says so where there was nothing', () => {
    const { view: shown, grid } = view(feed([]));

    expect(grid.hidden).toBe(true);
    expect(shown.element.textContent).toContain('It made no requests and logged nothing.');
  });

  it('shows hostile text as text', () => {
    const long = 'x'.repeat(1_000_000);
    const hostile = feed(
      [
        { seq: 1, name: HOSTILE, detail: HOSTILE, error: HOSTILE },
        { seq: 2, detail: long }
      ],
      [
        { seq: 1, level: HOSTILE, text: HOSTILE },
        { seq: 2, text: long }
      ]
    );
    const { view: shown, grid } = view(hostile);
    press(grid, 'Home');

    expect(intruders(shown.element)).toEqual([]);
    expect(shown.element.textContent).toContain('[U+202E]gnp.exe');
    expect(shown.element.textContent).not.toMatch(/[\u0000\u001b\u202e]/);
    expect(shown.element.textContent?.length).toBeLessThan(20_000);
  });
});

describe('the waterfall as a file', () => {
  it('has every row at its time, and its texts as texts', () => {
    const entries = feed(
      [
        { seq: 1, detail: HOSTILE, started: 0, duration_ms: 50 },
        { seq: 2, started: 50, duration_ms: 50 }
      ],
      [{ seq: 1, text: HOSTILE }]
    ).entries;
    const svg = waterfallSvg('sync_page', entries, 100);
    const bars = [...svg.querySelectorAll('rect[fill^="#3b7"]')];
    const [first, second] = bars.map(bar => [
      Number(bar.getAttribute('x')),
      Number(bar.getAttribute('width'))
    ]);

    expect(bars).toHaveLength(2);
    expect(first![0]! + first![1]!).toBeCloseTo(second![0]!);
    expect(intruders(svg)).toEqual([]);
    expect(svg.querySelector('[class], style, image, use')).toBeNull();
  });

  it('stays bounded', () => {
    expect(
      waterfallSvg('much', feed(requestsOf(3000), [], 3000, 5000).entries, 1e5).querySelectorAll('rect')
        .length
    ).toBeLessThan(1300);
  });
});

describe('a row as a sentence', () => {
  it.each([
    [
      { seq: 3, line: null, duration_ms: null },
      'Request 3: store.set, line unknown, +15 ms, no answer came, 80 B out, 14 B in, 0.3 ms of CPU before it'
    ],
    [
      { seq: 1001, line: 4, started: 20 },
      'store.set, line 4, +20 ms: refused, it would have been request 1001'
    ]
  ])('tells of %j', (made, words) => {
    const entry = feed([made]).entries.find(each => each.type === 'request');

    expect(entry?.type === 'request' && factsOf(entry)).toBe(words);
  });
});
