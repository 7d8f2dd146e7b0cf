/** The requests of an execution one below the other, each at its time, with the logs in their place among them. */

import { Chips } from './chips';
import { element, listen, setText } from './dom';
import { endOf, filtered, NO_FILTER, tallyOf, windowOf } from './feed';
import type { Entry, Feed, Filter, LogEntry, RequestEntry, Wanted } from './feed';
import { levelClass, levelElement, levelShape } from './levels';
import { OVER } from './outcome';
import { cell, columnHead, RowGrid } from './rowgrid';
import { line as safeLine } from './text';
import { timeMarks, TimeStrip } from './timestrip';
import { count, counted, duration, memory, NOTHING } from './units';
import { KINDS } from './wire';

export const ROW_HEIGHT = 22;
/** Rows up to which the whole time is wide enough for every bar to be seen. */
const FEW = 40;
/** Beside the time in view, so that what stands at its ends is seen. */
const ROOM = 0.03;
/** Pixels of the word above the bars. */
const TITLE = 32;
const SHOWN_DETAIL = 300;

/** What is shown of an execution. */
export interface WaterfallFacts {
  label: string;
  feed: Feed;
  /** Milliseconds that the execution took; its last end where that is later. */
  span: number;
  limit: number;
}

export interface WaterfallEvents {
  /** The row that is looked at stands for this line; undefined: for none. `show`: bring it into view. */
  look(line: number | null | undefined, show: boolean): void;
  /** The requests of all lines shall be shown again. */
  unpick(): void;
}

export class WaterfallView {
  readonly element: HTMLElement;
  /** What there is to say about what is not there. */
  readonly notice = element('div', { class: 'pnb-ex-partial' });
  private readonly about = element('span', { class: 'pnb-ex-part-about' });
  private readonly chips = new Chips();
  private readonly search = element('input', {
    type: 'search',
    class: 'pnb-ex-search',
    placeholder: 'Find',
    'aria-label': 'Find in requests and logs'
  });
  private readonly strip = new TimeStrip(time => this.seek(time));
  private readonly axis = columnHead('time', '');
  private readonly inspected = element('div', { class: 'pnb-ex-inspected' });
  private readonly nothing = element('p', { class: 'pnb-quiet' });
  private readonly grid: RowGrid;
  private readonly undo: () => void;
  private facts: WaterfallFacts | null = null;
  private filter: Filter = NO_FILTER;
  private shown: Entry[] = [];
  private whole: boolean | null = null;

  constructor(private readonly events: WaterfallEvents) {
    const head = element(
      'div',
      { class: 'pnb-ex-request' },
      columnHead('seq', '#'),
      columnHead('name', 'request'),
      columnHead('detail', 'key, URL or log'),
      columnHead('line', 'line'),
      this.axis,
      columnHead('took', 'took'),
      columnHead('in', 'in'),
      columnHead('out', 'out'),
      columnHead('cpu', 'CPU so far')
    );
    this.grid = new RowGrid(head, {
      rowHeight: ROW_HEIGHT,
      cells: index => this.cells(this.shown[index]),
      finish: (row, index) => finish(row, this.shown[index]),
      activated: index => this.inspect(this.shown[index]),
      chosen: index => this.events.look(lineOf(this.shown[index]), true),
      hovered: index => this.events.look(lineOf(this.shown[index < 0 ? this.grid.active : index]), false),
      seen: (first, last) => this.focusTime(first, last),
      key: key => this.key(key)
    });
    this.element = element(
      'section',
      { class: 'pnb-ex-waterfall' },
      element(
        'div',
        { class: 'pnb-ex-part-head' },
        element('h4', { class: 'pnb-ex-part-title' }, 'Requests and logs'),
        this.about,
        this.search,
        this.chips.element
      ),
      this.notice,
      this.strip.element,
      this.nothing,
      this.grid.element,
      this.inspected
    );
    this.undo = listen(this.search, 'input', () =>
      this.narrow({ ...this.filter, text: this.search.value })
    );
  }

  /** Show an execution; `fresh` forgets what was asked of the one before. */
  show(facts: WaterfallFacts, fresh: boolean): void {
    this.facts = facts;
    if (fresh) {
      this.filter = NO_FILTER;
      this.whole = null;
      this.search.value = '';
      this.grid.element.scrollTop = 0;
    }
    this.update(fresh ? -1 : this.grid.active);
  }

  /** Only the requests of one line; undefined: of all. */
  setLine(line: number | null | undefined): void {
    this.narrow({ ...this.filter, line });
  }

  /** Fit what is drawn to the width there is. */
  resize(): void {
    if (this.strip.isStale) {
      this.drawStrip();
      this.grid.render();
    }
  }

  focus(): void {
    this.grid.element.focus();
  }

  /** What is shown, for a file. */
  get entries(): readonly Entry[] {
    return this.shown;
  }

  dispose(): void {
    this.undo();
    this.chips.dispose();
    this.strip.dispose();
    this.grid.dispose();
  }

  private narrow(filter: Filter): void {
    this.filter = filter;
    this.grid.element.scrollTop = 0;
    this.update(-1);
  }

  private update(active: number): void {
    const { facts } = this;
    if (facts === null) {
      return;
    }
    this.shown = filtered(facts.feed.entries, this.filter);
    const logs = facts.feed.entries.filter(entry => entry.type === 'log').length;
    const all = facts.feed.entries.filter(entry => entry.type !== 'gap').length;
    const here = this.shown.filter(entry => entry.type !== 'gap').length;
    const words = counted(facts.feed.performed, 'request') + (logs > 0 ? `, ${counted(logs, 'log')}` : '');
    setText(this.about, here === all ? words : `${count(here)} of ${words}`);
    this.grid.setLabel(`Requests and logs of ${facts.label}: ${this.about.textContent}`);
    this.drawChips(facts);
    this.grid.element.hidden = this.inspected.hidden = here === 0;
    this.drawStrip();
    this.grid.reset(this.shown.length, active);
    this.strip.element.hidden ||= here === 0;
    this.search.hidden = this.chips.element.hidden = all === 0;
    this.nothing.hidden = here > 0 || (all === 0 && facts.feed.missing > 0);
    this.nothing.textContent =
      all === 0 ? 'It made no requests and logged nothing.' : 'Nothing here is like that.';
    this.inspect(this.shown[this.grid.active]);
  }

  // what to show

  private drawChips(facts: WaterfallFacts): void {
    const made: HTMLButtonElement[] = [];
    if (this.filter.line !== undefined) {
      const name = this.filter.line === null ? 'line unknown' : `line ${this.filter.line}`;
      const cross = element('span', { 'aria-hidden': 'true' }, ' ×');
      made.push(this.chips.make(true, () => this.events.unpick(), `${name} only`, cross));
    }
    for (const [wanted, number] of tallyOf(facts.feed)) {
      const pressed = this.filter.wanted.has(wanted);
      const name = `${wanted} ${count(number)}`;
      made.push(this.chips.make(pressed, () => this.toggle(wanted), swatch(wanted), name));
    }
    if (facts.feed.entries.length > 1) {
      const time = this.chips.make(this.isWhole, () => this.toggleTime(), 'whole time');
      time.title = 'Bars on the time of the whole execution, or of the rows in view';
      made.push(time);
    }
    this.chips.fill(made);
  }

  private toggle(name: Wanted): void {
    const wanted = new Set(this.filter.wanted);
    if (!wanted.delete(name)) {
      wanted.add(name);
    }
    this.narrow({ ...this.filter, wanted });
  }

  private key(key: string): boolean {
    if (key === 'Escape' && this.filter.line !== undefined) {
      this.events.unpick();
      return true;
    }
    return false;
  }

  // rows

  private cells(entry: Entry | undefined): HTMLElement[] {
    if (entry === undefined || entry.type === 'gap') {
      const words = entry ? `${counted(entry.missing, 'more request')} not in this picture` : '';
      return [cell('seq', '⋯'), cell('gap', words)];
    }
    return entry.type === 'log' ? logCells(entry, this.cpuCell(entry.cpu, '')) : this.requestCells(entry);
  }

  private requestCells(entry: RequestEntry): HTMLElement[] {
    const bar = element('i', {
      class: `pnb-kind-${entry.kind}${entry.took === null ? ' pnb-ex-unanswered' : ''}`,
      style: {
        '--t': String(entry.from),
        '--d': String(entry.took ?? Math.max(0, (this.facts?.span ?? 0) - entry.from))
      }
    });
    const text = cell('detail', ...detailParts(safeLine(entry.detail, SHOWN_DETAIL)));
    if (entry.error !== '' && !entry.refused) {
      text.append(problem(`${OVER} ${safeLine(entry.error, SHOWN_DETAIL)}`));
    }
    return [
      cell('seq', String(entry.seq)),
      cell(
        'name',
        element('i', { class: `pnb-swatch pnb-kind-${entry.kind}`, 'aria-hidden': 'true' }),
        entry.name
      ),
      text,
      cell('line', entry.line === null ? '' : String(entry.line)),
      cell(
        'time',
        entry.refused ? problem(`${OVER} refused: one more than ${count(this.facts?.limit ?? 0)}`) : bar
      ),
      cell('took', entry.refused ? '' : entry.took === null ? 'no answer' : duration(entry.took)),
      cell('in', entry.bytesIn === null ? '' : memory(entry.bytesIn)),
      cell('out', entry.bytesOut === null ? '' : memory(entry.bytesOut)),
      this.cpuCell(entry.cpu, entry.cpu === null ? NOTHING : duration(entry.cpu))
    ];
  }

  /** Its shades make a curve down the rows. */
  private cpuCell(cpu: number | null, words: string): HTMLElement {
    const made = cell('cpu', words);
    made.style.setProperty('--share', String((cpu ?? 0) / Math.max(this.facts?.feed.cpu ?? 0, 0.001)));
    return made;
  }

  private inspect(entry: Entry | undefined): void {
    if (entry === undefined || entry.type === 'gap') {
      this.inspected.replaceChildren(element('p', { class: 'pnb-quiet' }, 'Select a row to see all of it.'));
      this.events.look(undefined, false);
      return;
    }
    this.inspected.replaceChildren(
      element('p', { class: 'pnb-ex-inspected-facts' }, factsOf(entry)),
      element('pre', {}, entry.type === 'log' ? entry.text : entry.detail)
    );
    if (entry.type === 'request' && entry.error !== '') {
      this.inspected.append(element('pre', { class: 'pnb-ex-failure' }, entry.error));
    }
    this.events.look(entry.line, false);
  }

  // time

  private get isWhole(): boolean {
    return this.whole ?? this.shown.length <= FEW;
  }

  private toggleTime(): void {
    this.whole = !this.isWhole;
    if (this.facts) {
      this.drawChips(this.facts);
    }
    this.grid.render();
  }

  /** Lay the time of the rows in view out over the width. */
  private focusTime(first: number, last: number): void {
    const span = this.facts?.span ?? 1;
    const [from, to] = windowOf(this.shown, first, last);
    const room = (to - from) * ROOM;
    const [left, right] = this.isWhole ? [0, span * (1 + ROOM)] : [from - room, to + room];
    const { style } = this.grid.element;
    style.setProperty('--from', String(left));
    style.setProperty('--per', `${100 / Math.max(right - left, 0.001)}%`);
    style.setProperty(
      '--rule',
      `${Math.max(0, this.grid.element.clientHeight - this.axis.offsetHeight - 1)}px`
    );
    this.axis.replaceChildren('time', ...timeMarks(left, right, this.axis.clientWidth || 300, TITLE));
    this.strip.mark(from, to);
    this.strip.element.hidden = first === 0 && last >= this.shown.length - 1 && this.isWhole;
    if (!this.strip.element.hidden && this.strip.isStale) {
      this.drawStrip();
    }
  }

  private drawStrip(): void {
    if (this.facts !== null) {
      this.strip.draw(this.shown, this.facts.feed.cpu, this.facts.span);
    }
  }

  /** Scroll to what happened at a time. */
  private seek(time: number): void {
    const at = this.shown.findIndex(entry => entry.type !== 'gap' && endOf(entry) >= time);
    this.grid.scrollTo(at < 0 ? this.shown.length - 1 : at);
  }
}

/** The colour of a kind; a shape for what has none. */
function swatch(wanted: Wanted): HTMLElement {
  return KINDS.some(kind => kind === wanted)
    ? element('i', { class: `pnb-swatch pnb-kind-${wanted}`, 'aria-hidden': 'true' })
    : element('i', { class: 'pnb-ex-shape', 'aria-hidden': 'true' }, wanted === 'logs' ? '≡' : OVER);
}

function logCells(entry: LogEntry, cpu: HTMLElement): HTMLElement[] {
  const shape = levelShape(entry.level);
  return [
    cell('seq', ''),
    cell('name', levelElement(entry.level)),
    cell('detail', element('span', { class: 'pnb-ex-detail-rest' }, safeLine(entry.text, SHOWN_DETAIL))),
    cell('line', entry.line === null ? '' : String(entry.line)),
    cell(
      'time',
      element(
        'b',
        { 'aria-hidden': 'true', class: levelClass(entry.level), style: { '--t': String(entry.from) } },
        shape
      )
    ),
    cell('took', ''),
    cell('in', ''),
    cell('out', ''),
    cpu
  ];
}

/** Where there is no room for all of a URL, its origin says least. */
function detailParts(text: string): HTMLElement[] {
  const origin = /^https?:\/\/[^/?#\s]{1,200}(?=[/?#])/.exec(text)?.[0] ?? '';
  const rest = element('span', { class: 'pnb-ex-detail-rest' }, text.slice(origin.length));
  return origin === '' ? [rest] : [element('span', { class: 'pnb-ex-detail-origin' }, origin), rest];
}

function problem(text: string): HTMLElement {
  return element('span', { class: 'pnb-ex-failure' }, text);
}

function finish(row: HTMLElement, entry: Entry | undefined): void {
  row.classList.add('pnb-ex-request');
  if (entry?.type === 'gap') {
    row.classList.add('pnb-ex-gap');
  } else if (entry?.type === 'log') {
    row.classList.add('pnb-ex-logged', `${levelClass(entry.level)}-row`);
  } else if (entry && (entry.refused || entry.error !== '')) {
    row.classList.add('pnb-ex-failed');
  }
}

function lineOf(entry: Entry | undefined): number | null | undefined {
  return entry === undefined || entry.type === 'gap' ? undefined : entry.line;
}

/** All figures of a row as a sentence. */
export function factsOf(entry: RequestEntry | LogEntry): string {
  const where = entry.line === null ? 'line unknown' : `line ${entry.line}`;
  const when = `+${duration(entry.from)}`;
  if (entry.type === 'log') {
    return `${entry.level}, ${where}, ${when}`;
  }
  if (entry.refused) {
    return `${entry.name}, ${where}, ${when}: refused, it would have been request ${count(entry.seq)}`;
  }
  const parts = [`Request ${count(entry.seq)}: ${entry.name}`, where, when];
  parts.push(entry.took === null ? 'no answer came' : `took ${duration(entry.took)}`);
  if (entry.bytesOut !== null) {
    parts.push(`${memory(entry.bytesOut)} out`);
  }
  if (entry.bytesIn !== null) {
    parts.push(`${memory(entry.bytesIn)} in`);
  }
  if (entry.cpu !== null) {
    parts.push(`${duration(entry.cpu)} of CPU before it`);
  }
  return parts.join(', ');
}
