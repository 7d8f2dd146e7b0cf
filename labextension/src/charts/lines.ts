/**
 * What the lines of a cell spent, and which of them are worth a look.
 *
 * Lines are those of tracebacks, which are those of the cell: a cell is deployed with an empty line in place of its
 * `%%twist` line and of each empty line above that, so line 1 is the first line of the cell, as its editor numbers
 * them, and line n of the wire is the n-th line of `Source.text`. A source that was deployed as text has no such
 * empty lines and counts from its own first one. Empty lines at the top and at the end are not drawn.
 */

import { word } from './columns';
import { definitions, highlight, linesOf } from './python';
import type { Piece } from './python';
import { block, line as safeLine } from './text';
import { count } from './units';
import { KINDS } from './wire';
import type { Kind, LineRows } from './wire';

/** What one line of the cell spent. */
export interface LineTotal {
  /** Null for requests of which nobody knows the line. */
  line: number | null;
  requests: number;
  spent: [Kind, number][];
  /** `store.set`, with how many, the most first. */
  operations: [string, number][];
}

/** What there is to show of an attempt's lines. */
export interface SourceFacts {
  /** The cell's text; null where it is not there. */
  text: string | null;
  title: string;
  /** The name of the twist's class. */
  owner: string;
  method: string;
  totals: LineTotal[];
  limit: number;
  /** Where it was stopped, and in which words. */
  stop: { line: number; words: string } | null;
  /** Lines that the traceback went through. */
  calls: number[];
}

export type SourceRow =
  | {
      kind: 'line';
      line: number | null;
      pieces: Piece[];
      total: LineTotal | null;
      stop: string;
      called: boolean;
    }
  | { kind: 'fold'; first: number; last: number };

const LINE_LIMIT = 500;
/** Lines that a fold opens at a time. */
export const UNFOLDED = 400;
const SHORT_FOLD = 3;
const OPERATIONS = 4;
const ENDINGS = /[\n\r\x0b\x0c\x85\u2028\u2029]/g;

/** The kind that a request is drawn as. */
export function kindOf(tool: string): Kind {
  return KINDS.find(kind => kind === tool) ?? 'other';
}

/** `store.set`, safe to show. */
export function operationName(tool: string, operation: string): string {
  return [tool, operation]
    .map(part => safeLine(part, 40))
    .filter(part => part !== '')
    .join('.');
}

/** Requests by line, in the order of the lines; those without a line at the end. */
export function lineTotals(rows: LineRows): LineTotal[] {
  const totals = new Map<number | null, LineTotal>();
  rows.requests.forEach((requests, index) => {
    const line = rows.line[index] ?? null;
    const tool = word(rows.tool, index);
    const kind = kindOf(tool);
    const operation = operationName(tool, word(rows.operation, index));
    const total = totals.get(line) ?? { line, requests: 0, spent: [], operations: [] };
    totals.set(line, total);
    total.requests += requests;
    add(total.spent, kind, requests);
    add(total.operations, operation, requests);
  });
  const found = [...totals.values()].sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
  for (const total of found) {
    total.spent.sort((a, b) => KINDS.indexOf(a[0]) - KINDS.indexOf(b[0]));
    total.operations.sort((a, b) => b[1] - a[1]);
  }
  return found;
}

/** The line that spent most; null where none spent anything. */
export function heaviest(totals: readonly LineTotal[]): LineTotal | null {
  const known = totals.filter(total => total.line !== null && total.requests > 0);
  return known.reduce<LineTotal | null>(
    (most, total) => (total.requests > (most?.requests ?? 0) ? total : most),
    null
  );
}

/** The lines of the cell that a traceback went through. */
export function tracedLines(traceback: string | null, filename: string): number[] {
  const found = new Set<number>();
  for (const match of (traceback ?? '').slice(-20_000).matchAll(/File "([^"\n]{0,300})", line (\d{1,7})/g)) {
    if (match[1] === filename) {
      found.add(Number(match[2]));
    }
  }
  return [...found];
}

/** The rows to draw; `opened` are lines that were asked for beyond those of interest. */
export function sourceRows(facts: SourceFacts, opened: ReadonlySet<number>): SourceRow[] {
  const totals = new Map(facts.totals.map(total => [total.line, total]));
  const rows: SourceRow[] = [];
  const draw = (line: number | null, pieces: Piece[]): void => {
    const stop = facts.stop !== null && facts.stop.line === line ? facts.stop.words : '';
    const called = line !== null && stop === '' && facts.calls.includes(line);
    rows.push({ kind: 'line', line, pieces, total: totals.get(line) ?? null, stop, called });
  };
  if (facts.text === null) {
    for (const line of linesOfInterest(facts)) {
      draw(line, []);
    }
  } else {
    const lines = linesOf(facts.text).map(shownLine);
    const pieces = highlight(lines);
    const shown = shownLines(facts, lines, opened);
    for (let line = shown.first; line <= shown.last; line++) {
      if (shown.has(line)) {
        draw(line, pieces[line - 1] ?? []);
      } else {
        const first = line;
        while (line < shown.last && !shown.has(line + 1)) {
          line += 1;
        }
        rows.push({ kind: 'fold', first, last: line });
      }
    }
    for (const line of linesOfInterest(facts)) {
      if (line < 1 || line > lines.length) {
        draw(line, []);
      }
    }
  }
  if (totals.has(null)) {
    draw(null, []);
  }
  return rows;
}

interface Shown {
  first: number;
  last: number;
  has(line: number): boolean;
}

function shownLines(facts: SourceFacts, lines: readonly string[], opened: ReadonlySet<number>): Shown {
  const filled = lines.map((line, index) => (line.trim() ? index + 1 : 0)).filter(line => line > 0);
  const first = filled[0] ?? 1;
  const last = filled[filled.length - 1] ?? 0;
  const shown = new Set<number>(opened);
  const found = definitions(lines);
  const wanted = linesOfInterest(facts);
  for (const line of wanted) {
    shown.add(line);
    // A line is understood with the name of what it belongs to.
    const around = found.filter(each => each.first <= line && line <= each.last);
    const innermost = around[around.length - 1];
    if (innermost) {
      shown.add(innermost.last === innermost.first ? innermost.first : headOf(lines, innermost.first));
    }
  }
  const named = found.filter(each => each.name === definitionOf(facts.method));
  const mine =
    named.find(each => each.owner === facts.owner) ??
    named.find(each => wanted.some(line => each.first <= line && line <= each.last)) ??
    named[0];
  if (mine) {
    for (let line = mine.first; line <= mine.last; line++) {
      shown.add(line);
    }
  }
  if (shown.size === 0) {
    for (let line = first; line < first + UNFOLDED; line++) {
      shown.add(line);
    }
  }
  let before = first - 1;
  for (const line of [...shown, last + 1].sort((a, b) => a - b)) {
    // What would be folded takes hardly more room than the fold.
    for (let gap = before + 1; line - before <= SHORT_FOLD + 1 && gap < line; gap++) {
      shown.add(gap);
    }
    before = Math.max(before, line);
  }
  return { first, last, has: line => shown.has(line) };
}

/** The line below the decorators, where the name stands. */
function headOf(lines: readonly string[], first: number): number {
  const at = lines.findIndex((line, index) => index + 1 >= first && /^\s*(async\b|def\b|class\b)/.test(line));
  return at < 0 ? first : at + 1;
}

function linesOfInterest(facts: SourceFacts): number[] {
  const found = new Set(facts.calls);
  facts.totals.forEach(total => total.line !== null && found.add(total.line));
  if (facts.stop !== null) {
    found.add(facts.stop.line);
  }
  return [...found].sort((a, b) => a - b);
}

function shownLine(text: string): string {
  return block(text.replace(ENDINGS, ' '), LINE_LIMIT);
}

function add<Key>(counts: [Key, number][], key: Key, number: number): void {
  const known = counts.find(each => each[0] === key);
  if (known) {
    known[1] += number;
  } else {
    counts.push([key, number]);
  }
}

/** `640 of 1000`. */
export function share(total: LineTotal, limit: number): string {
  return `${count(total.requests)} of ${count(limit)}`;
}

/** `store.set 250, network.fetch 3`. */
export function operationsOf(total: LineTotal): string {
  const shown = total.operations.slice(0, OPERATIONS).map(([name, number]) => `${name} ${count(number)}`);
  return shown.join(', ') + (total.operations.length > OPERATIONS ? ', …' : '');
}

/** The name that a method is defined by: a tool's is called `calendar.sync_page`, a drain's pass `… → handle`. */
function definitionOf(method: string): string {
  return method.split(/[. ]/).pop() ?? '';
}
