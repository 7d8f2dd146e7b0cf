import { describe, expect, it, vi } from 'vitest';

import { heaviest, lineTotals, operationsOf, share, sourceRows, tracedLines } from '../src/charts/lines';
import type { SourceFacts, SourceRow } from '../src/charts/lines';
import { definitions, highlight, linesOf } from '../src/charts/python';
import { SourceView } from '../src/charts/source';
import { CELL, detailOf, HOSTILE, intruders, requestsOf } from './details';
import { words } from './rows';

const LINES = linesOf(CELL);
const PAGE = LINES.findIndex(line => line.startsWith('    async def sync_page')) + 1;
const KEEP = LINES.findIndex(line => line.includes('def keep')) + 1;
const SET = LINES.findIndex(line => line.includes('await self.set(f"item')) + 1;

function facts(more: Partial<SourceFacts> = {}): SourceFacts {
  const totals = lineTotals(detailOf(1, requestsOf(50, { line: SET })).lines);
  return {
    text: CELL,
    title: 'CalendarSync',
    owner: 'CalendarSync',
    method: 'sync_page',
    totals,
    limit: 1000,
    stop: null,
    calls: [],
    ...more
  };
}

function linesIn(rows: SourceRow[]): (number | null)[] {
  return rows.flatMap(row => (row.kind === 'line' ? [row.line] : []));
}

describe('what the lines of a cell spent', () => {
  it('is summed over the operations of a line, by kind in the order of the parts of a bar', () => {
    const totals = lineTotals({
      line: [9, 7, 9, null],
      tool: words(['network', 'store', 'store', 'mail']),
      operation: words(['fetch', 'get', 'set', 'send']),
      requests: [2, 1, 640, 5]
    });

    expect(totals.map(total => [total.line, total.requests])).toEqual([
      [7, 1],
      [9, 642],
      [null, 5]
    ]);
    expect(totals[1]?.spent).toEqual([
      ['store', 640],
      ['network', 2]
    ]);
    expect(totals[2]?.spent).toEqual([['other', 5]]);
    expect(operationsOf(totals[1]!)).toBe('store.set 640, network.fetch 2');
    expect(share(totals[1]!, 1000)).toBe('642 of 1000');
  });

  it('has a heaviest line among those that are known', () => {
    const rows = {
      line: [null, 4, 6],
      tool: words(['store', 'store', 'store']),
      operation: words(['set', 'set', 'set']),
      requests: [9, 2, 5]
    };

    expect(heaviest(lineTotals(rows))?.line).toBe(6);
    expect(heaviest([])).toBeNull();
  });
});

describe('the lines that are drawn', () => {
  it('are numbered as in the cell, whose first line is that of %%twist', () => {
    const row = sourceRows(facts(), new Set()).find(each => each.kind === 'line' && each.line === SET);

    expect(SET).toBe(21);
    expect(row?.kind === 'line' && row.pieces.map(piece => piece.text).join('')).toBe(
      '        await self.set(f"item:{item}", text)'
    );
  });

  it('are those of the method and those that spent, with the name of what they belong to', () => {
    const lines = linesIn(sourceRows(facts(), new Set()));

    expect(lines).toEqual(expect.arrayContaining([PAGE - 1, PAGE, PAGE + 5, KEEP, SET]));
    expect(lines).not.toContain(5);
    expect(lines).not.toContain(25);
  });

  it('fold what spent nothing, and unfold all that is asked for', () => {
    const folded = sourceRows(facts(), new Set());
    expect(folded.filter(row => row.kind === 'fold')).toEqual([
      { kind: 'fold', first: 2, last: PAGE - 2 },
      { kind: 'fold', first: SET + 1, last: 28 }
    ]);

    const opened = new Set(LINES.map((_, index) => index + 1));
    const rows = sourceRows(facts(), opened);
    expect(linesIn(rows)).toEqual(Array.from({ length: 27 }, (_, index) => index + 2));
  });

  it('fold nothing that takes hardly more room than the fold', () => {
    const rows = sourceRows(
      facts({
        method: 'none',
        totals: lineTotals(
          detailOf(1, [
            { seq: 1, line: 10 },
            { seq: 2, line: 14 }
          ]).lines
        )
      }),
      new Set()
    );

    expect(linesIn(rows)).toEqual([9, 10, 11, 12, 13, 14]);
  });

  it('are still told where the text is not there', () => {
    const rows = sourceRows(facts({ text: null, stop: { line: 30, words: 'stopped here' } }), new Set());

    expect(linesIn(rows)).toEqual([SET, 30]);
  });

  it('include the one where it was stopped, in words', () => {
    const rows = sourceRows(facts({ stop: { line: 26, words: 'stopped here' } }), new Set());
    const stop = rows.find(row => row.kind === 'line' && row.line === 26);

    expect(stop).toMatchObject({ stop: 'stopped here' });
  });

  it('end with what was spent on no known line', () => {
    const rows = sourceRows(
      facts({ totals: lineTotals(detailOf(1, [{ seq: 1, line: null }]).lines) }),
      new Set()
    );

    expect(rows[rows.length - 1]).toMatchObject({ kind: 'line', line: null });
  });

  it('stay bounded whatever the source is', () => {
    const text = `x = "${'y'.repeat(1_000_000)}"\n`.concat('pass\n'.repeat(5000));
    const rows = sourceRows(facts({ text, method: 'none', totals: [] }), new Set());

    expect(rows.length).toBeLessThan(500);
    expect(rows[0]?.kind === 'line' && rows[0].pieces.map(piece => piece.text).join('').length).toBeLessThan(
      600
    );
  });
});

describe('a traceback', () => {
  it('goes through lines of this cell alone', () => {
    const text =
      'File "%%twist A", line 9, in a\n  File "other.py", line 3, in b\n  File "%%twist A", line 12, in c';

    expect(tracedLines(text, '%%twist A')).toEqual([9, 12]);
    expect(tracedLines(null, '%%twist A')).toEqual([]);
  });
});

describe('Python', () => {
  it('loses no character to its colours', () => {
    const pieces = highlight(LINES);

    expect(pieces.map(line => line.map(piece => piece.text).join(''))).toEqual(LINES);
  });

  it.each([
    ['# def a', 'comment', '# def a'],
    ['x = f"a # {b}"', 'string', 'f"a # {b}"'],
    ["s = 'it\\'s'  # c", 'string', "'it\\'s'"],
    ['async def go():', 'name', 'go'],
    ['return 12.5', 'number', '12.5'],
    ['returned = 1', 'plain', 'returned = '],
    ['yield x', 'keyword', 'yield']
  ])('has in %j a %s', (line, token, text) => {
    expect(highlight([line])[0]).toContainEqual({ token, text });
  });

  it('keeps a string open over lines, and ends one that nobody closed', () => {
    const [, second, third] = highlight(['a = """', 'def b():', '"""']);
    expect(second).toEqual([{ token: 'string', text: 'def b():' }]);
    expect(third).toEqual([{ token: 'string', text: '"""' }]);
    expect(highlight(['a = "', 'return'])[1]).toEqual([{ token: 'keyword', text: 'return' }]);
  });

  it('has definitions with their decorators, through strings and brackets without indentation', () => {
    const keep = definitions(LINES).find(each => each.name === 'keep');
    const page = definitions(LINES).find(each => each.name === 'sync_page');

    expect(page).toEqual({ name: 'sync_page', owner: 'CalendarSync', first: PAGE - 1, last: PAGE + 5 });
    expect(keep).toEqual({ name: 'keep', owner: 'CalendarSync', first: KEEP, last: SET + 1 });
    expect(definitions(['def a(', 'b):', '    pass', 'c = 1']).map(each => each.last)).toEqual([3]);
  });
});

describe('the source on the screen', () => {
  it('has one tab stop, and the arrow keys move within', () => {
    const view = new SourceView({ pick: vi.fn() });
    document.body.replaceChildren(view.element);
    view.show(facts(), true);
    const stops = (): HTMLElement[] => [
      ...view.element.querySelectorAll<HTMLElement>('[role=option][tabindex="0"]')
    ];
    const list = view.element.querySelector('[role=listbox]')!;

    expect(stops()).toHaveLength(1);
    expect(stops()[0]?.textContent).toContain('50 of 1000');
    stops()[0]?.focus();
    list.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }));
    expect(stops()).toHaveLength(1);
    expect(document.activeElement).toBe(view.element.querySelector('[role=option]'));
  });

  it('picks a line that spent, and lets go of it again', () => {
    const pick = vi.fn((line: number | null | undefined) => view.setPicked(line));
    const view = new SourceView({ pick });
    view.show(facts(), true);
    const line = [...view.element.querySelectorAll<HTMLElement>('[role=option]')].find(each =>
      each.textContent?.includes('50 of 1000')
    );

    line?.click();
    expect(pick).toHaveBeenLastCalledWith(SET);
    expect(line?.getAttribute('aria-selected')).toBe('true');
    line?.click();
    expect(pick).toHaveBeenLastCalledWith(undefined);
    expect(line?.getAttribute('aria-selected')).toBe('false');
  });

  it('unfolds by Enter', () => {
    const view = new SourceView({ pick: vi.fn() });
    view.show(facts(), true);
    const list = view.element.querySelector('[role=listbox]')!;
    list.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }));
    expect(list.textContent).not.toContain('start_sync');

    list.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    expect(list.textContent).toContain('start_sync');
  });

  it('marks the line of a request that is looked at', () => {
    const view = new SourceView({ pick: vi.fn() });
    view.show(facts(), true);
    view.mark(SET);

    expect(view.element.querySelector('.pnb-ex-marked')?.textContent).toContain(String(SET));
    view.mark(undefined);
    expect(view.element.querySelector('.pnb-ex-marked')).toBeNull();
  });

  it('shows hostile text as text', () => {
    const view = new SourceView({ pick: vi.fn() });
    const totals = lineTotals(detailOf(1, [{ seq: 1, line: 2, name: HOSTILE }]).lines);
    view.show(
      facts({ text: `\nx = "${HOSTILE}"`, title: HOSTILE, totals, stop: { line: 2, words: HOSTILE } }),
      true
    );

    expect(intruders(view.element)).toEqual([]);
    expect(view.element.textContent).toContain('[U+202E]');
    expect(view.element.querySelector('code')?.textContent).not.toContain('\u0000');
  });
});
