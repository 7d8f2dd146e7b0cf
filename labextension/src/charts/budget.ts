/** What each attempt spent of its budget. */

import { budgetSvg } from './budgetfile';
import type { Chart, Context, Drawing, Table } from './chart';
import { follow } from './chart';
import { element, setAttribute, setText, uniqueId } from './dom';
import { figures, several, spoken, told } from './figures';
import type { Attempt, Journal } from './journal';
import { mark, NEAR, outcomeClass, OVER } from './outcome';
import { Overview } from './overview';
import { Tooltip } from './tooltip';
import { count, duration, memory, NOTHING, percent } from './units';
import { VirtualRows } from './virtual';
import { KINDS } from './wire';
import type { Kind } from './wire';

const ROW = 24;
/** Rows from which on there is an overview of all, and the choice of some. */
const MANY = 40;
const SOME = 30;
const REST_MS = 250;

/** One row an attempt: its requests by kind against the limit, its CPU and its memory. */
export function budgetChart(context: Context): Chart {
  return new Budget(context);
}

type Filter = 'all' | 'failed' | 'near';

const FILTERS: [Filter, string][] = [
  ['all', 'all'],
  ['failed', 'failed'],
  ['near', 'near a limit']
];

class Budget implements Chart {
  readonly name = 'Budget';
  readonly element: HTMLElement;
  private readonly journal: Journal;
  private readonly summary = element('figcaption', { class: 'pnb-spoken', id: uniqueId('summary') });
  private readonly legend = element('ul', { class: 'pnb-legend', 'aria-label': 'Requests by kind' });
  private readonly legendItems = new Map<Kind, HTMLElement>();
  private readonly filterChoice = element('select', {});
  private readonly filterOptions = new Map<Filter, HTMLOptionElement>();
  private readonly filterLabel = element('label', { class: 'pnb-filter' }, 'show ', this.filterChoice);
  private readonly head: Head = new Head();
  private readonly nothing = element('p', { class: 'pnb-nothing' });
  private readonly rows: VirtualRows<BudgetRow>;
  private readonly overview: Overview;
  private readonly tooltip: Tooltip;
  private readonly drawing: Drawing;
  private filter: Filter = 'all';
  /** Indices of the attempts that are shown; null for all of them. */
  private shown: number[] | null = null;
  private drawn = -1;
  private wasRunning = false;
  private revealed: number | null = null;
  private resting = 0;

  constructor(private readonly context: Context) {
    this.journal = context.journal;
    this.rows = new VirtualRows<BudgetRow>('Budget of each execution', {
      rowHeight: ROW,
      make: () => new BudgetRow(),
      draw: (row, place) => row.draw(this.journal.attempt(this.indexAt(place)), this.journal),
      stamp: place => `${this.indexAt(place)} ${this.journal.changedAt(this.indexAt(place))}`,
      choose: place => this.choose(place),
      point: (place, row, x) => this.point(place, row, x),
      scrolled: () => this.overview.drawView(this.rows.view)
    });
    setAttribute(this.rows.element, 'aria-describedby', this.summary.id);
    this.overview = new Overview({
      jump: place => this.jump(place),
      point: (column, x) => {
        if (column) {
          const { first, last, heaviest, failed } = column;
          const { offsetTop, offsetHeight, offsetLeft } = this.overview.element;
          this.tooltip.show(
            offsetLeft + x,
            offsetTop + offsetHeight - 8,
            'Overview',
            several(this.journal, first, last, heaviest, failed),
            'Click to go there.'
          );
        } else {
          this.tooltip.hide();
        }
      }
    });
    this.makeFilter();
    this.makeLegend();
    const bar = element('div', { class: 'pnb-bar-above' }, this.legend, this.filterLabel);
    this.element = element(
      'figure',
      { class: 'pnb-chart pnb-budget' },
      this.summary,
      bar,
      this.overview.element,
      this.head.element,
      this.rows.element,
      this.nothing
    );
    this.tooltip = new Tooltip(this.element);
    this.drawing = follow(context, this.element, () => this.draw());
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    clearTimeout(this.resting);
    this.drawing.dispose();
    this.rows.dispose();
    this.tooltip.hide();
  }

  table(): Table {
    const { journal } = this;
    const columns = ['number', 'execution', 'attempt', 'twist', 'version', 'method', 'cause', 'outcome', 'requests'];
    const rows = Array.from({ length: journal.length }, (_, index) => {
      const made = journal.attempt(index);
      const { number, execution, attempt, twist, version, method, cause, outcome, requests } = made;
      const spent = new Map(made.spent);
      return [
        ...[number, execution, attempt, twist, version, method, cause, outcome, requests],
        ...KINDS.map(kind => spent.get(kind) ?? 0),
        ...[made.cpu_ms, made.wall_ms, made.memory_peak, made.started, made.ended, made.line, made.error]
      ];
    });
    const measured = ['cpu_ms', 'wall_ms', 'memory_peak', 'started', 'ended', 'line', 'error'];
    return { name: 'budget', columns: [...columns, ...KINDS, ...measured], rows };
  }

  svg(): SVGSVGElement | null {
    this.sift();
    return this.journal.length ? budgetSvg(this.journal, this.shown) : null;
  }

  private draw(): void {
    const { journal, rows } = this;
    if (this.drawn !== journal.version) {
      this.drawn = journal.version;
      this.sift();
      this.drawAround();
      // Once more when it has ended: the last rows have come with that news.
      rows.following = journal.running || this.wasRunning;
      this.wasRunning = journal.running;
      rows.count = this.shown?.length ?? journal.length;
      this.drawOverview();
    }
    this.mark();
    rows.draw();
    this.overview.drawView(rows.view);
  }

  private indexAt(place: number): number {
    return this.shown?.[place] ?? place;
  }

  /** Where an attempt is in the list; -1 where it is not shown. */
  private placeOf(index: number): number {
    return this.shown && index >= 0 ? this.shown.indexOf(index) : index;
  }

  private sift(): void {
    const { journal, filter } = this;
    if (filter === 'all') {
      this.shown = null;
      return;
    }
    this.shown = [];
    for (let index = 0; index < journal.length; index += 1) {
      if (filter === 'failed' ? journal.failedAt(index) : journal.nearAt(index)) {
        this.shown.push(index);
      }
    }
  }

  private drawAround(): void {
    const { journal } = this;
    setText(this.summary, journal.summary());
    this.head.draw(journal);
    const digits = Math.max(2, String(journal.executions).length);
    this.element.style.setProperty('--pnb-number-width', `${8 * (digits + 1) + 10}px`);
    this.drawLegend();
    this.drawFilter();
    const length = this.shown?.length ?? journal.length;
    const empty = journal.length ? 'None of these.' : journal.running ? 'Nothing has begun yet.' : 'Nothing ran.';
    const left = journal.leftOut ? `${count(journal.leftOut)} more are in the journal, but not in this saved picture.` : '';
    setText(this.nothing, length ? left : empty);
    this.nothing.hidden = length > 0 && !left;
    this.head.element.hidden = this.rows.element.hidden = length === 0;
  }

  private drawOverview(): void {
    const length = this.shown?.length ?? this.journal.length;
    this.overview.element.hidden = length <= MANY;
    if (length > MANY) {
      this.overview.draw(this.journal, length, place => this.indexAt(place));
    }
  }

  private mark(): void {
    const { journal, context, rows } = this;
    const id = context.selection.value;
    const place = this.placeOf(journal.indexOf(id));
    rows.selected = place;
    if (id !== this.revealed && (place >= 0 || id === null)) {
      this.revealed = id;
      if (place >= 0) {
        rows.activate(place);
        rows.reveal(place);
      }
    }
  }

  private choose(place: number): void {
    const id = this.journal.idAt(this.indexAt(place));
    // It is where the user has seen it: nothing has to be scrolled.
    this.revealed = id;
    this.rows.stay();
    this.context.selection.set(id);
    this.rows.selected = place;
  }

  private jump(place: number): void {
    this.rows.centre(place);
    this.rows.draw();
    this.overview.drawView(this.rows.view);
  }

  private point(place: number | null, row: HTMLElement | null, clientX: number | null): void {
    clearTimeout(this.resting);
    this.tooltip.hide();
    if (place === null || row === null) {
      return;
    }
    if (clientX === null) {
      this.tell(place, row, null);
    } else {
      // What a pointer only passes does not cover the rows that it goes to.
      this.resting = window.setTimeout(() => this.tell(place, row, clientX), REST_MS);
    }
  }

  private tell(place: number, row: HTMLElement, clientX: number | null): void {
    if (!row.isConnected || place >= this.rows.count) {
      return;
    }
    const attempt = this.journal.attempt(this.indexAt(place));
    const host = this.element.getBoundingClientRect();
    const box = row.getBoundingClientRect();
    const title = element('span', {}, `${attempt.label} `, element('bdi', {}, attempt.method));
    const x = clientX ?? box.left + box.width / 3;
    this.tooltip.show(x - host.left, box.bottom - host.top - 6, title, figures(attempt, this.journal.limits));
  }

  private makeFilter(): void {
    for (const [filter, name] of FILTERS) {
      const option = element('option', { value: filter }, name);
      this.filterOptions.set(filter, option);
      this.filterChoice.append(option);
    }
    this.filterChoice.addEventListener('change', () => {
      this.filter = FILTERS[this.filterChoice.selectedIndex]?.[0] ?? 'all';
      this.rows.activate(-1);
      this.rows.invalidate();
      this.drawn = -1;
      this.revealed = null;
      this.redraw();
    });
  }

  private drawFilter(): void {
    const { journal } = this;
    this.filterLabel.hidden = journal.length <= SOME;
    const counts: Record<Filter, number> = { all: journal.length, failed: 0, near: 0 };
    for (let index = 0; index < journal.length; index += 1) {
      counts.failed += journal.failedAt(index) ? 1 : 0;
      counts.near += journal.nearAt(index) ? 1 : 0;
    }
    for (const [filter, name] of FILTERS) {
      const option = this.filterOptions.get(filter);
      if (option) {
        setText(option, `${name} (${count(counts[filter])})`);
      }
    }
  }

  private makeLegend(): void {
    for (const kind of KINDS) {
      const total = element('span', {});
      const item = element('li', { hidden: true }, element('i', { class: `pnb-swatch pnb-kind-${kind}` }), `${kind} `, total);
      this.legendItems.set(kind, item);
      this.legend.append(item);
    }
    this.legend.append(
      element('li', {}, element('i', { class: 'pnb-near', 'aria-hidden': 'true' }, NEAR), ' 80% of a limit'),
      element('li', {}, element('i', { class: 'pnb-bad', 'aria-hidden': 'true' }, OVER), ' failed')
    );
  }

  private drawLegend(): void {
    const totals = new Map(this.journal.totals());
    for (const [kind, item] of this.legendItems) {
      const total = totals.get(kind) ?? 0;
      item.hidden = !total;
      if (item.lastChild) {
        setText(item.lastChild, count(total));
      }
    }
  }
}

/** The names of the columns, and the axis of the bars. */
class Head {
  readonly element: HTMLElement;
  private readonly middle = element('span', { class: 'pnb-axis-middle' });
  private readonly limit = element('span', { class: 'pnb-axis-limit' });
  private readonly cpu = element('span', { class: 'pnb-limit-of' });
  private readonly memory = element('span', { class: 'pnb-limit-of' });

  constructor() {
    const axis = element(
      'span',
      { class: 'pnb-track pnb-axis' },
      element('span', { class: 'pnb-axis-start' }, '0'),
      this.middle,
      element('span', { class: 'pnb-axis-close' }, '80%'),
      this.limit
    );
    // Each row says all of it by itself.
    this.element = element(
      'div',
      { class: 'pnb-list-head pnb-budget-columns', 'aria-hidden': 'true' },
      element('span', { class: 'pnb-cell-number' }, '#'),
      element('span', {}, 'method'),
      element('span', { class: 'pnb-cell-outcome' }, element('span', { class: 'pnb-outcome-words' }, 'outcome')),
      element('span', { class: 'pnb-cell-bar' }, axis),
      element('span', { class: 'pnb-cell-requests' }, 'requests'),
      element('span', { class: 'pnb-cell-cpu' }, 'CPU', this.cpu),
      element('span', { class: 'pnb-cell-memory' }, 'memory', this.memory)
    );
  }

  draw({ limits }: Journal): void {
    setText(this.middle, count(limits.requests / 2));
    setText(this.limit, `limit ${count(limits.requests)}`);
    setText(this.cpu, ` of ${duration(1000 * limits.cpu)}`);
    setText(this.memory, ` of ${memory(limits.memory)}`);
  }
}

/** The elements of one row. */
class BudgetRow {
  readonly element: HTMLElement;
  private readonly number = element('span', { class: 'pnb-cell-number' });
  private readonly method = element('bdi', {});
  private readonly again = element('span', {});
  private readonly attempt = element(
    'span',
    { class: 'pnb-quiet' },
    element('span', { class: 'pnb-attempt-word' }, ' attempt'),
    this.again
  );
  private readonly shape = element('span', {});
  private readonly words = element('span', { class: 'pnb-outcome-words' });
  private readonly outcome = element('span', {}, this.shape, ' ', this.words);
  private readonly warning = element('span', { class: 'pnb-near' });
  private readonly segments = new Map(KINDS.map(kind => [kind, element('i', { class: `pnb-kind-${kind}` })]));
  private readonly stack = element('span', { class: 'pnb-stack' }, ...this.segments.values());
  private readonly beyond = element('span', { class: 'pnb-bad pnb-beyond' });
  private readonly requests = element('span', {});
  private readonly share = element('span', { class: 'pnb-quiet' });
  private readonly cpu = new Meter('pnb-cell-cpu');
  private readonly memory = new Meter('pnb-cell-memory');
  /** The cells' abbreviations say little to who does not see them under their heads. */
  private readonly sentence = element('span', { class: 'pnb-spoken' });

  constructor() {
    const track = element('span', { class: 'pnb-track' }, this.stack, this.beyond);
    const cells = [
      this.number,
      element('span', { class: 'pnb-cell-method' }, this.method, this.attempt),
      element('span', { class: 'pnb-cell-outcome' }, this.outcome, this.warning),
      element('span', { class: 'pnb-cell-bar' }, track),
      element('span', { class: 'pnb-cell-requests' }, this.requests, this.share),
      this.cpu.element,
      this.memory.element
    ];
    cells.forEach(cell => setAttribute(cell, 'aria-hidden', 'true'));
    this.element = element('div', { class: 'pnb-budget-columns' }, ...cells, this.sentence);
  }

  draw(attempt: Attempt, { limits }: Journal): void {
    const { requests, cpu_ms, memory_peak } = attempt;
    setText(this.sentence, spoken(attempt, limits));
    setText(this.number, `#${attempt.number}`);
    setText(this.method, attempt.method);
    this.attempt.hidden = attempt.attempt < 2;
    setText(this.again, ` ${attempt.attempt}`);
    setAttribute(this.outcome, 'class', outcomeClass(attempt));
    const [first = '', ...others] = told(attempt).split(' ');
    setText(this.shape, first);
    setText(this.words, others.join(' '));
    setText(this.warning, attempt.near.length ? `${NEAR} near ${attempt.near.join(', ')}` : '');
    this.drawStack(attempt, limits.requests);
    const shape = mark(attempt, 'requests');
    setText(this.requests, `${shape}${count(requests)}`);
    setAttribute(this.requests, 'class', shape ? 'pnb-marked' : null);
    setText(this.share, percent(requests, limits.requests));
    const cpu = cpu_ms === null ? NOTHING : duration(cpu_ms);
    this.cpu.draw((cpu_ms ?? 0) / 1000 / limits.cpu, mark(attempt, 'cpu'), cpu);
    const peak = memory_peak === null ? NOTHING : memory(memory_peak);
    this.memory.draw((memory_peak ?? 0) / limits.memory, mark(attempt, 'memory'), peak);
  }

  private drawStack(attempt: Attempt, limit: number): void {
    const spent = new Map(attempt.spent);
    // The limit may have been another one when this ran.
    const whole = Math.max(limit, attempt.requests, 1);
    for (const [kind, segment] of this.segments) {
      const number = spent.get(kind) ?? 0;
      segment.hidden = !number;
      segment.style.width = `${(100 * number) / whole}%`;
    }
    const { over, near } = attempt;
    setAttribute(this.stack, 'class', `pnb-stack${over === 'requests' ? ' pnb-stack-over' : ''}${near.includes('requests') ? ' pnb-stack-near' : ''}`);
    setText(this.beyond, over === 'requests' ? OVER : '');
  }
}

/** A figure with a small bar of its share of a limit. */
class Meter {
  readonly element: HTMLElement;
  private readonly bar = element('i', {});
  private readonly text = element('span', {});

  constructor(kind: string) {
    this.element = element('span', { class: kind }, element('span', { class: 'pnb-meter' }, this.bar), this.text);
  }

  draw(share: number, shape: string, text: string): void {
    this.bar.style.width = `${100 * Math.min(1, share)}%`;
    setAttribute(this.bar, 'class', shape ? (shape.startsWith(OVER) ? 'pnb-meter-over' : 'pnb-meter-near') : null);
    setText(this.text, `${shape}${text}`);
    setAttribute(this.text, 'class', shape ? 'pnb-marked' : null);
  }
}
