/** A cell's source with the requests that each line spent. */

import { element, listen, setAttribute } from './dom';
import { heaviest, operationsOf, share, sourceRows, UNFOLDED } from './lines';
import type { SourceFacts, SourceRow } from './lines';
import { OVER } from './outcome';
import { linesOf } from './python';
import { rowBeside } from './scrolledrows';
import { spentBar } from './spentbar';
import { line as safeLine } from './text';
import { count, counted } from './units';

/** Lines that a page key goes. */
const PAGE = 10;
/** Pixels that stay in view beyond a line that is looked for. */
const AROUND = 44;

/** What the source tells who holds it. */
export interface SourceEvents {
  /** A line was picked, to see only its requests; undefined: none any more. */
  pick(line: number | null | undefined): void;
}

/** The source as a list of lines, of which one can be picked. */
export class SourceView {
  readonly element: HTMLElement;
  private readonly list = element('div', { class: 'pnb-ex-code', role: 'listbox' });
  private readonly heading = element('span', { class: 'pnb-ex-part-about' });
  private readonly all = element('button', { type: 'button' });
  private readonly opened = new Set<number>();
  private readonly undo: (() => void)[] = [];
  private facts: SourceFacts | null = null;
  private rows: SourceRow[] = [];
  private options: HTMLElement[] = [];
  private active = 0;
  private picked: number | null | undefined = undefined;

  constructor(private readonly events: SourceEvents) {
    const title = element('h4', { class: 'pnb-ex-part-title' }, 'Source');
    const head = element('div', { class: 'pnb-ex-part-head' }, title, this.heading, this.all);
    this.element = element('section', { class: 'pnb-ex-source' }, head, this.list);
    this.undo.push(
      listen(this.all, 'click', () => this.openAll()),
      listen(this.list, 'keydown', event => this.key(event)),
      listen(this.list, 'click', event => this.click(event)),
      listen(this.list, 'focusin', event => this.activate(this.rowAt(event.target)))
    );
  }

  /** Show other facts; `fresh` forgets what was unfolded. */
  show(facts: SourceFacts, fresh: boolean): void {
    if (fresh) {
      this.opened.clear();
      this.active = -1;
      this.picked = undefined;
    }
    this.facts = facts;
    this.draw();
    if (fresh) {
      this.list.scrollTop = 0;
      this.bringIntoView(this.options.find((_, index) => isStop(this.rows[index])));
    }
  }

  /** Which line's requests are shown; undefined for all. */
  setPicked(line: number | null | undefined): void {
    this.picked = line;
    this.rows.forEach((row, index) => this.paint(row, this.options[index]));
  }

  /** Mark the line of a request that is looked at. */
  mark(line: number | null | undefined, show = false): void {
    this.rows.forEach((row, index) => {
      const marked = line !== undefined && row.kind === 'line' && row.line === line;
      const option = this.options[index];
      option?.classList.toggle('pnb-ex-marked', marked);
      if (marked && show) {
        this.bringIntoView(option);
      }
    });
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  private draw(): void {
    const { facts } = this;
    if (facts === null) {
      return;
    }
    const focused = this.list.contains(document.activeElement);
    const activeRow = this.rows[this.active];
    this.rows = sourceRows(facts, this.opened);
    this.options = this.rows.map(row => this.option(row, facts));
    this.list.replaceChildren(...this.options);
    const folded = this.rows.reduce(
      (lines, row) => lines + (row.kind === 'fold' ? row.last - row.first + 1 : 0),
      0
    );
    const lines = facts.text === null ? 0 : linesOf(facts.text).length;
    const title = safeLine(facts.title);
    this.heading.textContent = facts.text === null ? `${title}: its text is not here` : title;
    this.all.hidden = folded === 0;
    this.all.textContent = `Show all ${count(lines)} lines`;
    setAttribute(this.list, 'aria-label', `${title}: requests by line`);
    this.activate(this.placeAfterDraw(activeRow));
    if (focused) {
      this.options[this.active]?.focus({ preventScroll: true });
    }
  }

  private placeAfterDraw(before: SourceRow | undefined): number {
    if (before !== undefined) {
      const at = this.rows.findIndex(row => place(row) >= place(before));
      return at < 0 ? this.rows.length - 1 : at;
    }
    const most = this.facts ? heaviest(this.facts.totals) : null;
    const wanted = this.rows.findIndex(isStop);
    const spent = this.rows.findIndex(row => row.kind === 'line' && most !== null && row.total === most);
    return Math.max(0, wanted < 0 ? spent : wanted);
  }

  private option(row: SourceRow, facts: SourceFacts): HTMLElement {
    if (row.kind === 'fold') {
      const lines = row.last - row.first + 1;
      // Where no totals are, nobody knows what a line spent.
      const spent = facts.totals.length > 0 ? ' that spent nothing' : '';
      const words = counted(lines, 'line') + spent;
      return element(
        'div',
        { class: 'pnb-ex-line pnb-ex-fold', role: 'option', tabindex: -1, 'aria-selected': 'false' },
        element('span', { class: 'pnb-ex-line-number', 'aria-hidden': 'true' }, '⋯'),
        element('span', { class: 'pnb-ex-line-text' }, words)
      );
    }
    const { total } = row;
    // What does not fit goes on below, a little further in.
    const hang = `${/^ */.exec(row.pieces[0]?.text ?? '')?.[0].length ?? 0}ch`;
    const text = element('code', { class: 'pnb-ex-line-text', style: { '--hang': hang } });
    text.append(
      ...row.pieces.map(piece =>
        piece.token === 'plain'
          ? piece.text
          : element('span', { class: `pnb-ex-py-${piece.token}` }, piece.text)
      )
    );
    if (row.pieces.length === 0 && (row.line === null || facts.text === null)) {
      text.classList.add('pnb-quiet');
      text.append(row.line === null ? 'line unknown' : total ? operationsOf(total) : '');
    }
    if (row.stop !== '') {
      text.append(element('span', { class: 'pnb-ex-stop' }, `${OVER} ${safeLine(row.stop, 300)}`));
    } else if (row.called) {
      text.append(element('span', { class: 'pnb-ex-called' }, '↳ on the way to the error'));
    }
    const option = element(
      'div',
      { class: 'pnb-ex-line', role: 'option', tabindex: -1 },
      element('span', { class: 'pnb-ex-line-number' }, row.line === null ? '?' : String(row.line)),
      text
    );
    if (total) {
      option.append(
        element('span', { class: 'pnb-ex-line-share' }, share(total, facts.limit)),
        spentBar(total.spent, facts.limit),
        element(
          'span',
          { class: 'pnb-ex-line-operations' },
          total.operations.length === 1 ? (total.operations[0]?.[0] ?? '') : operationsOf(total)
        )
      );
      option.title = operationsOf(total);
      option.classList.add('pnb-ex-spent');
    }
    option.classList.toggle('pnb-ex-stopped', row.stop !== '');
    this.paint(row, option);
    return option;
  }

  private paint(row: SourceRow, option: HTMLElement | undefined): void {
    const picked = row.kind === 'line' && this.picked !== undefined && row.line === this.picked;
    option?.setAttribute('aria-selected', String(picked));
  }

  private openAll(): void {
    const lines = this.facts?.text ? linesOf(this.facts.text).length : 0;
    for (let line = 1; line <= lines; line++) {
      this.opened.add(line);
    }
    this.draw();
    this.options[this.active]?.focus();
  }

  private rowAt(target: EventTarget | null): number {
    return this.options.findIndex(option => target instanceof Node && option.contains(target));
  }

  private click(event: MouseEvent): void {
    const at = this.rowAt(event.target);
    if (at >= 0) {
      this.activate(at);
      this.options[at]?.focus({ preventScroll: true });
      this.choose();
    }
  }

  private choose(): void {
    const row = this.rows[this.active];
    if (row?.kind === 'fold') {
      for (let line = row.first; line <= Math.min(row.last, row.first + UNFOLDED - 1); line++) {
        this.opened.add(line);
      }
      this.draw();
    } else if (row) {
      const next = row.line === this.picked || row.total === null ? undefined : row.line;
      this.events.pick(next);
    }
  }

  private key(event: KeyboardEvent): void {
    const next = rowBeside(event.key, this.active, this.rows.length, PAGE);
    if (next !== null) {
      this.activate(next);
      const option = this.options[this.active];
      option?.focus({ preventScroll: true });
      this.bringIntoView(option);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.choose();
    } else if (event.key === 'Escape' && this.picked !== undefined) {
      this.events.pick(undefined);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Scroll the list, not the page around it. */
  private bringIntoView(option: HTMLElement | undefined): void {
    if (option === undefined) {
      return;
    }
    const { list } = this;
    const bottom = option.offsetTop + option.offsetHeight;
    if (option.offsetTop < list.scrollTop) {
      list.scrollTop = option.offsetTop - AROUND;
    } else if (bottom > list.scrollTop + list.clientHeight) {
      list.scrollTop = bottom + AROUND - list.clientHeight;
    }
  }

  private activate(at: number): void {
    if (at < 0) {
      return;
    }
    this.options[this.active]?.setAttribute('tabindex', '-1');
    this.active = at;
    this.options[at]?.setAttribute('tabindex', '0');
  }
}

function isStop(row: SourceRow | undefined): boolean {
  return row?.kind === 'line' && row.stop !== '';
}

function place(row: SourceRow): number {
  return row.kind === 'fold' ? row.first : (row.line ?? Infinity);
}
