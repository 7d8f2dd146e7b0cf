/** What executions logged: of all whose logs are there, or of the selected one. */

import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { Chips } from './chips';
import { button, element, setAttribute, setText } from './dom';
import { logEntries } from './feed';
import type { LogEntry } from './feed';
import type { Journal } from './journal';
import { isLoud, levelClass, levelElement } from './levels';
import { cell, columnHead, RowGrid } from './rowgrid';
import { line as safeLine, messageOf } from './text';
import { count, counted, duration } from './units';
import type { Detail } from './wire';

const ROW_HEIGHT = 22;
const SHOWN_TEXT = 300;
const LEVELS = ['error', 'warning', 'info', 'debug'];
/** Attempts that one click asks for, and the time between two: Jupyter's server drops what is more than 1 MB a second. */
const AT_ONCE = 20;
const PAUSE_MS = 100;

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
  return rows.filter(
    row =>
      (filter.levels.size === 0 || filter.levels.has(row.entry.level)) &&
      (filter.id === null || row.id === filter.id)
  );
}

/** `3 logs: 2 errors, 1 info`, the loudest first. */
export function logsSummary(rows: readonly LoggedBy[]): string {
  const levels = levelCounts(rows).map(([level, number]) =>
    isLoud(level) ? counted(number, level) : `${count(number)} ${level}`
  );
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
  private readonly chips = new Chips();
  private readonly notice = element('p', { class: 'pnb-ex-partial', hidden: true });
  private readonly missing = element('span');
  private readonly load = button('', () => void this.ask());
  private readonly empty = element('p', { class: 'pnb-ex-empty' });
  private readonly inspected = element('div', { class: 'pnb-ex-inspected' });
  private readonly grid: RowGrid;
  private readonly drawing: Drawing;
  private readonly unsubscribe: () => void;
  private details: (Detail | undefined)[] = [];
  private logs: Logs = { rows: [], missing: 0, unknown: 0 };
  private shown: LoggedBy[] = [];
  private filter: LogFilter = { levels: new Set(), id: null };
  private drawn = '';
  /** Of which the kernel has given all it has. */
  private readonly loaded = new Set<number>();
  private loading = false;
  private disposed = false;
  private problem = '';

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
      element(
        'div',
        { class: 'pnb-ex-part-head' },
        element('h4', { class: 'pnb-ex-part-title' }, 'Logs'),
        this.about,
        this.chips.element
      ),
      this.notice,
      this.empty,
      this.grid.element,
      this.inspected
    );
    this.notice.append(this.missing, ' ', this.load);
    this.unsubscribe = context.kernel.subscribe(() => this.drawing.request());
    this.drawing = follow(context, this.element, () => this.draw());
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    this.disposed = true;
    this.unsubscribe();
    this.chips.dispose();
    this.drawing.dispose();
    this.grid.dispose();
  }

  table(): Table {
    return {
      name: 'logs',
      columns: ['execution', 'method', 'time_ms', 'level', 'line', 'text'],
      rows: this.shown.map(({ label, method, time, entry }) => [
        label,
        method,
        time,
        entry.level,
        entry.line,
        entry.text
      ])
    };
  }

  private draw(): void {
    const { journal, selection, kernel } = this.context;
    const isNew = this.takeDetails(journal);
    if (isNew) {
      this.logs = logsOf(journal);
    }
    if (this.filter.id !== null && this.filter.id !== selection.value) {
      this.filter = { ...this.filter, id: selection.value };
    }
    // Rows that are made anew under the mouse would lose its click.
    const drawn = JSON.stringify([journal.length, selection.value, kernel.live]);
    if (isNew || drawn !== this.drawn) {
      this.drawn = drawn;
      this.update(this.grid.active);
    }
  }

  /** Whether there are other details than before. */
  private takeDetails(journal: Journal): boolean {
    let isNew = this.details.length !== journal.length;
    for (let index = 0; index < journal.length; index++) {
      const detail = journal.detail(journal.idAt(index));
      isNew ||= detail !== this.details[index];
      this.details[index] = detail;
    }
    return isNew;
  }

  private update(active: number): void {
    const { logs } = this;
    this.shown = selectLogs(logs.rows, this.filter);
    const summary = logsSummary(this.shown);
    setText(this.about, summary);
    setAttribute(this.element, 'aria-label', `Logs: ${summary}`);
    this.grid.setLabel(`Logs: ${summary}`);
    this.drawChips();
    this.drawNotice();
    this.empty.hidden = this.shown.length > 0;
    setText(
      this.empty,
      logs.rows.length > 0 ? 'Nothing here is like that.' : logs.unknown === 0 ? 'Nothing was logged.' : ''
    );
    this.grid.element.hidden = this.shown.length === 0;
    this.inspected.hidden = this.shown.length === 0;
    this.grid.reset(this.shown.length, active);
    this.inspect(this.shown[this.grid.active]);
  }

  private drawNotice(): void {
    const words = missingLogs(this.logs, this.context.journal.length);
    setText(this.missing, [words, this.problem].filter(part => part !== '').join(' '));
    this.notice.hidden = words === '';
    const wanted = this.context.kernel.live ? this.wanted() : [];
    this.load.hidden = wanted.length === 0;
    this.load.disabled = this.loading;
    const rest = wanted.length > AT_ONCE ? `Load ${AT_ONCE} more` : 'Load all';
    setText(this.load, this.loading ? 'Loading…' : `${rest} from the kernel`);
  }

  /** Whose logs are not all here, and were not asked for. */
  private wanted(): number[] {
    const { journal } = this.context;
    return this.details.flatMap((detail, index) => {
      const id = journal.idAt(index);
      return this.loaded.has(id) || (detail !== undefined && detail.logs_left_out === 0) ? [] : [id];
    });
  }

  private async ask(): Promise<void> {
    this.loading = true;
    this.problem = '';
    this.drawNotice();
    try {
      for (const id of this.wanted().slice(0, AT_ONCE)) {
        await this.context.kernel.detail(id);
        this.loaded.add(id);
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
        if (this.disposed) {
          return;
        }
      }
    } catch (error) {
      this.problem = `They could not be loaded: ${safeLine(messageOf(error), 300)}`;
    }
    this.loading = false;
    this.drawNotice();
  }

  private drawChips(): void {
    const made = levelCounts(this.logs.rows).map(([level, number]) => {
      const choose = (): void => {
        const levels = new Set(this.filter.levels);
        if (!levels.delete(level)) {
          levels.add(level);
        }
        this.narrow({ ...this.filter, levels });
      };
      return this.chips.make(this.filter.levels.has(level), choose, levelElement(level), ` ${count(number)}`);
    });
    const { journal, selection } = this.context;
    const index = journal.indexOf(selection.value);
    if (index >= 0 && journal.length > 1) {
      const { label, method, id } = journal.attempt(index);
      const choose = (): void => this.narrow({ ...this.filter, id: this.filter.id === id ? null : id });
      const name = element('bdi', {}, `${label} ${method}`);
      made.push(this.chips.make(this.filter.id === id, choose, 'only ', name));
    }
    this.chips.fill(made);
  }

  private narrow(filter: LogFilter): void {
    this.filter = filter;
    this.grid.element.scrollTop = 0;
    this.update(-1);
  }

  private finish(row: HTMLElement, logged: LoggedBy | undefined): void {
    row.classList.add('pnb-ex-log-line');
    row.classList.toggle(
      'pnb-ex-selected',
      logged?.id === this.context.selection.value && this.filter.id === null
    );
    if (logged && isLoud(logged.entry.level)) {
      row.classList.add(`${levelClass(logged.entry.level)}-row`);
    }
  }

  private inspect(logged: LoggedBy | undefined): void {
    if (logged === undefined) {
      this.inspected.replaceChildren(
        element('p', { class: 'pnb-quiet' }, 'Select a row to see all of it, and its execution in all views.')
      );
      return;
    }
    const { label, method, time, entry } = logged;
    const where = entry.line === null ? '' : `, line ${entry.line}`;
    this.inspected.replaceChildren(
      element(
        'p',
        { class: 'pnb-ex-inspected-facts' },
        element('bdi', {}, `${label} ${method}`),
        `: ${entry.level}${where}, +${duration(time)}`
      ),
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

function missingLogs(logs: Logs, attempts: number): string {
  const parts: string[] = [];
  if (logs.unknown > 0) {
    parts.push(`Logs of ${count(attempts - logs.unknown)} of ${counted(attempts, 'attempt')} are here.`);
  }
  if (logs.missing > 0) {
    parts.push(`${counted(logs.missing, 'log is', 'logs are')} not in this picture.`);
  }
  return parts.join(' ');
}
