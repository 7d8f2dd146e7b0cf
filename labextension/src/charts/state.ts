/** What the runtime holds now: what waits, what was given up, callbacks, webhooks, activities, and the rate limits. */

import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { Chips } from './chips';
import { button, element, setText } from './dom';
import { line, messageOf } from './text';
import { count } from './units';
import type { StateTable } from './wire';

/** From one ask to the next, while the journal grows. */
const PAUSE_MS = 1000;
const CELL = 200;

const NO_KERNEL = 'What the runtime holds is known while its kernel runs: run the cell again.';

const NOTHING: Record<string, string> = {
  Tasks: 'Nothing waits.',
  'Dead letters': 'Nothing was given up.',
  Callbacks: 'There are no callbacks.',
  Webhooks: 'There are no webhooks.',
  Activities: 'There are no activities.'
};

export function stateChart(context: Context): Chart {
  return new StateChart(context);
}

class StateChart implements Chart {
  readonly name = 'State';
  readonly element = element('figure', { class: 'pnb-state', role: 'group', 'aria-label': 'State' });
  private readonly chips = new Chips();
  private readonly refresh = button('Refresh', () => void this.ask());
  private readonly words = element('p', { class: 'pnb-quiet', role: 'status' });
  private readonly rows = element('div', { class: 'pnb-state-rows', role: 'region', tabindex: 0 });
  private readonly drawing: Drawing;
  private readonly unsubscribe: () => void;
  private tables: StateTable[] = [];
  private chosen = 'Tasks';
  private problem = '';
  private asking = false;
  private askedAt = 0;
  private later = 0;
  private seen = '';
  private disposed = false;

  constructor(private readonly context: Context) {
    const head = element('div', { class: 'pnb-state-head' }, this.chips.element, this.refresh);
    this.refresh.title = 'Ask the kernel again';
    this.element.append(head, this.words, this.rows);
    this.unsubscribe = context.kernel.subscribe(() => this.redraw());
    this.drawing = follow(context, this.element, () => this.draw());
  }

  redraw(): void {
    this.seen = '';
    this.drawing.request();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.later);
    this.unsubscribe();
    this.chips.dispose();
    this.drawing.dispose();
  }

  table(): Table {
    const { name, columns, rows } = this.shown() ?? { name: this.chosen, columns: [], rows: [] };
    return { name: name.toLowerCase(), columns, rows };
  }

  private shown(): StateTable | undefined {
    return this.tables.find(table => table.name === this.chosen);
  }

  /** Ask again where the journal has other rows than when it was asked last. */
  private draw(): void {
    const { journal, kernel } = this.context;
    this.refresh.disabled = !kernel.live;
    const now = JSON.stringify([journal.now, journal.length, journal.running, journal.cursor, kernel.live]);
    if (now === this.seen || this.later !== 0) {
      return;
    }
    this.seen = now;
    if (!kernel.live) {
      this.show();
      return;
    }
    const wait = Math.max(0, this.askedAt + PAUSE_MS - Date.now());
    this.later = window.setTimeout(() => {
      this.later = 0;
      void this.ask();
    }, wait);
  }

  private async ask(): Promise<void> {
    if (this.asking || this.disposed) {
      return;
    }
    this.asking = true;
    this.askedAt = Date.now();
    try {
      this.tables = await this.context.kernel.state();
      this.problem = '';
    } catch (error) {
      this.problem = line(messageOf(error), 300);
    }
    this.asking = false;
    if (!this.disposed) {
      this.show();
      this.drawing.request();
    }
  }

  private show(): void {
    this.chips.fill(
      this.tables.map(({ name, total }) => {
        const face = name === 'Limits' ? name : `${name} ${count(total)}`;
        return this.chips.make(name === this.chosen, () => this.choose(name), face);
      })
    );
    const table = this.shown();
    setText(this.words, this.said(table));
    this.words.hidden = this.words.textContent === '';
    this.rows.hidden = table === undefined || table.rows.length === 0;
    this.rows.setAttribute('aria-label', this.chosen);
    this.rows.replaceChildren(...(table === undefined ? [] : [grid(table)]));
  }

  private said(table: StateTable | undefined): string {
    if (this.problem !== '') {
      return this.problem;
    }
    if (table === undefined) {
      return this.context.kernel.live ? '' : NO_KERNEL;
    }
    if (table.rows.length === 0) {
      return NOTHING[table.name] ?? 'There is nothing.';
    }
    return table.total > table.rows.length
      ? `${count(table.rows.length)} of ${count(table.total)} are shown; the DataFrames have all.`
      : '';
  }

  private choose(name: string): void {
    this.chosen = name;
    this.rows.scrollTop = 0;
    this.show();
  }
}

/** A table; a column that is empty, or the twist's where there is one twist only, is left out. */
function grid({ columns, rows }: StateTable): HTMLTableElement {
  const twists = new Set(rows.map(row => row[0]));
  const kept = columns
    .map((_, at) => at)
    .filter(at => rows.some(row => row[at] !== null && row[at] !== '') && (at > 0 || twists.size > 1));
  const head = kept.map(at => element('th', { scope: 'col' }, columns[at]));
  const body = rows.map(row => element('tr', {}, ...kept.map(at => cell(row[at] ?? null))));
  return element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body));
}

function cell(value: string | number | null): HTMLTableCellElement {
  return typeof value === 'number'
    ? element('td', { class: 'pnb-state-number' }, String(value))
    : element('td', {}, element('bdi', {}, line(value ?? '', CELL)));
}
