/** What executions logged: of all whose logs are there, or of the selected one. */

import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { element, listen, setAttribute, setText } from './dom';
import { isLoud, logEntries } from './feed';
import type { LogEntry } from './feed';
import type { Journal } from './journal';
import { cell, columnHead, RowGrid } from './rowgrid';
import { line as safeLine } from './text';
import { count, counted, duration } from './units';
import { levelElement } from './waterfall';
import type { Detail } from './wire';

const ROW_HEIGHT = 22;
const SHOWN_TEXT = 300;
const LEVELS = ['error', 'warning', 'info', 'debug'];

/** A log with whose it is. */
export interface LoggedBy {
  id: number;
  label: string;
  method: string;
  /** Milliseconds since the run began. */
  time: number;
  entry: LogEntry;
}

export interface LogFilter {
  /** Empty: all. */
  levels: ReadonlySet<string>;
  /** Only this attempt; null: all. */
  id: number | null;
}

export interface Logs {
  rows: LoggedBy[];
  /** Logs that are not there, of executions whose other logs are. */
  missing: number;
  /** Attempts whose logs nobody has asked for. */
  unknown: number;
}

export function logsChart(context: Context): Chart {
  return new LogsChart(context);
}

/** The logs that are there, by time. */
export function logsOf(journal: Journal): Logs {
  const rows: LoggedBy[] = [];
  let missing = 0;
  let unknown = 0;
  for (let index = 0; index < journal.length; index++) {
    const detail = journal.detail(journal.idAt(index));
    if (detail === undefined) {
      unknown += 1;
      continue;
    }
    missing += detail.logs_left_out;
    if (detail.logs.text.length > 0) {
      const { id, label, method, started } = journal.attempt(index);
      for (const { entry } of logEntries(detail.logs, started)) {
        rows.push({ id, label, method, time: started + entry.from, entry });
      }
    }
  }
  // Logs of one moment keep their order, which is that of their attempts and in these their own.
  rows.sort((a, b) => a.time - b.time);
  return { rows, missing, unknown };
}

/** The logs that are asked for. */
export function selectLogs(rows: readonly LoggedBy[], filter: LogFilter): LoggedBy[] {
  return rows.filter(row => (filter.levels.size === 0 || filter.levels.has(row.entry.level)) && (filter.id === null || row.id === filter.id));
}

/** `3 logs: 2 errors, 1 info`, the loudest first. */
export function logsSummary(rows: readonly LoggedBy[]): string {
  const levels = levelCounts(rows).map(([level, number]) => (isLoud(level) ? counted(number, level) : `${count(number)} ${level}`));
  return counted(rows.length, 'log') + (levels.length > 0 ? `: ${levels.join(', ')}` : '');
}

function levelCounts(rows: readonly LoggedBy[]): [string, number][] {
  const counts = new Map<string, number>();
  rows.forEach(({ entry }) => counts.set(entry.level, (counts.get(entry.level) ?? 0) + 1));
  return [...counts].sort(([one], [other]) => rank(one) - rank(other));
}

function rank(level: string): number {
  const at = LEVELS.indexOf(level);
  return at < 0 ? LEVELS.length : at;
}

class LogsChart implements Chart {
  readonly name = 'Logs';
  readonly element = element('figure', { class: 'pnb-logs', role: 'group' });
  private readonly about = element('span', { class: 'pnb-ex-part-about' });
  private readonly chips = element('div', { class: 'pnb-ex-chips', role: 'toolbar', 'aria-label': 'Show only' });
  private readonly notice = element('p', { class: 'pnb-ex-partial' });
  private readonly empty = element('p', { class: 'pnb-ex-empty' });
  private readonly inspected = element('div', { class: 'pnb-ex-inspected' });
  private readonly grid: RowGrid;
  private readonly drawing: Drawing;
  private readonly undo: (() => void)[] = [];
  private details: (Detail | undefined)[] = [];
  private logs: Logs = { rows: [], missing: 0, unknown: 0 };
  private shown: LoggedBy[] = [];
  private filter: LogFilter = { levels: new Set(), id: null };
  private chip = 0;

  constructor(private readonly context: Context) {
    const head = element(
      'div',
      { class: 'pnb-ex-log-line' },
      columnHead('seq', '#'),
      columnHead('method', 'method'),
      columnHead('moment', 'time'),
      columnHead('level', 'level'),
      columnHead('line', 'line'),
      columnHead('detail', 'text')
    );
    this.grid = new RowGrid(head, {
      rowHeight: ROW_HEIGHT,
      cells: index => cells(this.shown[index]),
      finish: (row, index) => this.finish(row, this.shown[index]),
      activated: index => this.inspect(this.shown[index]),
      chosen: index => this.context.selection.set(this.shown[index]?.id ?? this.context.selection.value)
    });
    this.element.append(
      element('div', { class: 'pnb-ex-part-head' }, element('h4', { class: 'pnb-ex-part-title' }, 'Logs'), this.about, this.chips),
      this.notice,
      this.empty,
      this.grid.element,
      this.inspected
    );
    this.undo.push(
      listen(this.chips, 'keydown', event => this.moveChip(event)),
      context.kernel.subscribe(() => this.drawing.request())
    );
    this.drawing = follow(context, this.element, () => this.draw());
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.drawing.dispose();
    this.grid.dispose();
  }

  table(): Table {
    return {
      name: 'logs',
      columns: ['execution', 'method', 'time_ms', 'level', 'line', 'text'],
      rows: this.shown.map(({ label, method, time, entry }) => [label, method, time, entry.level, entry.line, entry.text])
    };
  }

  private draw(): void {
    const { journal, selection } = this.context;
    const details = Array.from({ length: journal.length }, (_, index) => journal.detail(journal.idAt(index)));
    if (details.length !== this.details.length || details.some((detail, index) => detail !== this.details[index])) {
      this.details = details;
      this.logs = logsOf(journal);
    }
    if (this.filter.id !== null && this.filter.id !== selection.value) {
      this.filter = { ...this.filter, id: selection.value };
    }
    this.update(this.grid.active);
  }

  private update(active: number): void {
    const { logs } = this;
    const { journal } = this.context;
    this.shown = selectLogs(logs.rows, this.filter);
    const summary = logsSummary(this.shown);
    setText(this.about, summary);
    setAttribute(this.element, 'aria-label', `Logs: ${summary}`);
    this.grid.setLabel(`Logs: ${summary}`);
    this.drawChips();
    const notice = missingLogs(logs, journal.length, this.context.kernel.live);
    setText(this.notice, notice);
    this.notice.hidden = notice === '';
    this.empty.hidden = this.shown.length > 0;
    setText(this.empty, logs.rows.length > 0 ? 'Nothing here is like that.' : logs.unknown === 0 ? 'Nothing was logged.' : '');
    this.grid.element.hidden = this.shown.length === 0;
    this.inspected.hidden = this.shown.length === 0;
    this.grid.reset(this.shown.length, active);
    this.inspect(this.shown[this.grid.active]);
  }

  private drawChips(): void {
    const focused = this.chips.contains(document.activeElement);
    const made = levelCounts(this.logs.rows).map(([level, number]) => {
      const pressed = this.filter.levels.has(level);
      const chip = element('button', { type: 'button', class: 'pnb-ex-chip', 'aria-pressed': String(pressed) }, levelElement(level), ` ${count(number)}`);
      chip.addEventListener('click', () => {
        const levels = new Set(this.filter.levels);
        if (!levels.delete(level)) {
          levels.add(level);
        }
        this.narrow(chip, { ...this.filter, levels });
      });
      return chip;
    });
    const { journal, selection } = this.context;
    const index = selection.value === null ? -1 : journal.indexOf(selection.value);
    if (index >= 0 && journal.length > 1) {
      const { label, method, id } = journal.attempt(index);
      const chip = element('button', { type: 'button', class: 'pnb-ex-chip', 'aria-pressed': String(this.filter.id === id) }, 'only ', element('bdi', {}, `${label} ${method}`));
      chip.addEventListener('click', () => this.narrow(chip, { ...this.filter, id: this.filter.id === id ? null : id }));
      made.push(chip);
    }
    this.chip = Math.min(this.chip, Math.max(0, made.length - 1));
    made.forEach((chip, index) => (chip.tabIndex = index === this.chip ? 0 : -1));
    this.chips.replaceChildren(...made);
    if (focused) {
      made[this.chip]?.focus();
    }
  }

  private narrow(chip: HTMLElement, filter: LogFilter): void {
    this.chip = [...this.chips.children].indexOf(chip);
    this.filter = filter;
    this.grid.element.scrollTop = 0;
    this.update(-1);
  }

  private moveChip(event: KeyboardEvent): void {
    const chips = [...this.chips.querySelectorAll('button')];
    const last = chips.length - 1;
    const next = { ArrowRight: this.chip + 1, ArrowLeft: this.chip - 1, Home: 0, End: last }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.chip = Math.max(0, Math.min(last, next));
      chips.forEach((chip, index) => (chip.tabIndex = index === this.chip ? 0 : -1));
      chips[this.chip]?.focus();
    }
  }

  private finish(row: HTMLElement, logged: LoggedBy | undefined): void {
    row.classList.add('pnb-ex-log-line');
    row.classList.toggle('pnb-ex-selected', logged?.id === this.context.selection.value && this.filter.id === null);
    if (logged && isLoud(logged.entry.level)) {
      row.classList.add(logged.entry.level === 'warning' ? 'pnb-ex-log-warning-row' : 'pnb-ex-log-error-row');
    }
  }

  private inspect(logged: LoggedBy | undefined): void {
    if (logged === undefined) {
      this.inspected.replaceChildren(element('p', { class: 'pnb-quiet' }, 'Select a row to see all of it, and its execution in all views.'));
      return;
    }
    const { label, method, time, entry } = logged;
    const where = entry.line === null ? '' : `, line ${entry.line}`;
    this.inspected.replaceChildren(
      element('p', { class: 'pnb-ex-inspected-facts' }, element('bdi', {}, `${label} ${method}`), `: ${entry.level}${where}, +${duration(time)}`),
      element('pre', {}, entry.text)
    );
  }
}

function cells(logged: LoggedBy | undefined): HTMLElement[] {
  if (logged === undefined) {
    return [];
  }
  const { label, method, time, entry } = logged;
  return [
    cell('seq', label.replace(', attempt ', '.')),
    cell('method', method),
    cell('moment', `+${duration(time)}`),
    cell('level', levelElement(entry.level)),
    cell('line', entry.line === null ? '' : String(entry.line)),
    cell('detail', element('span', { class: 'pnb-ex-detail-rest' }, safeLine(entry.text, SHOWN_TEXT)))
  ];
}

function missingLogs(logs: Logs, attempts: number, live: boolean): string {
  const parts: string[] = [];
  if (logs.unknown > 0) {
    parts.push(`Logs of ${count(attempts - logs.unknown)} of ${counted(attempts, 'attempt')} are here${live ? '; select another to see its own' : ''}.`);
  }
  if (logs.missing > 0) {
    parts.push(`Of these ${counted(logs.missing, 'log')} are left out.`);
  }
  return parts.join(' ');
}
