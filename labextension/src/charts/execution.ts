/** One attempt in full: what it spent, where in its source, request by request. */

import { AttemptHead } from './attempthead';
import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { element, listen, setAttribute, setText } from './dom';
import { feedOf } from './feed';
import type { Feed } from './feed';
import type { Attempt, Limited } from './journal';
import { heaviest, lineTotals, tracedLines } from './lines';
import type { LineTotal, SourceFacts } from './lines';
import { SourceView } from './source';
import { block, line as safeLine, messageOf } from './text';
import { count, counted, duration } from './units';
import { WaterfallView } from './waterfall';
import { waterfallSvg } from './waterfallfile';
import type { Detail } from './wire';

/** Milliseconds between two questions about an attempt that goes on. */
const PATIENCE = 500;

const NOT_HERE =
  'Its requests and logs are not in this picture, and no kernel is connected that has them: run the cell again.';

export function executionChart(context: Context): Chart {
  return new ExecutionChart(context);
}

/** An attempt as a sentence: what the chart is called by who cannot see it. */
export function summaryOf(attempt: Attempt, limit: number, totals: readonly LineTotal[]): string {
  const parts = [`${count(attempt.requests)} of ${counted(limit, 'request')}`];
  if (attempt.cpu_ms !== null) {
    parts.push(`${duration(attempt.cpu_ms)} CPU`);
  }
  parts.push(attempt.outcome + (attempt.failed && attempt.line !== null ? ` at line ${attempt.line}` : ''));
  const most = heaviest(totals);
  const spent = most === null ? '' : `; line ${most.line} spent most: ${count(most.requests)}`;
  return `${attempt.method} ${attempt.label}: ${parts.join(', ')}${spent}`;
}

/** In which words the line is marked where an attempt ended; null where no line is known. */
export function stopOf(attempt: Attempt, limit: number): { line: number; words: string } | null {
  if (!attempt.failed || attempt.line === null) {
    return null;
  }
  const words: Record<Limited, string> = {
    requests: `stopped here: request ${count(limit + 1)} is one too many`,
    cpu: 'stopped here: its CPU time was over',
    memory: 'stopped here: its memory was full',
    time: 'stopped here: its time was over'
  };
  const otherwise =
    attempt.outcome === 'cancelled'
      ? 'cancelled here'
      : `failed here: ${safeLine(attempt.error, 80) || attempt.outcome}`;
  return { line: attempt.line, words: attempt.over === null ? otherwise : words[attempt.over] };
}

class ExecutionChart implements Chart {
  readonly name = 'Execution';
  readonly element = element('figure', { class: 'pnb-execution', role: 'group' });
  private readonly empty = element('p', { class: 'pnb-ex-empty' });
  private readonly body = element('div');
  private readonly head: AttemptHead;
  private readonly status = element('p', { class: 'pnb-ex-status', role: 'status' });
  private readonly retry = element('button', { type: 'button' }, 'Load it from the kernel');
  private readonly missing = element('span');
  private readonly load = element('button', { type: 'button' }, 'Load all from the kernel');
  private readonly source: SourceView;
  private readonly waterfall: WaterfallView;
  private readonly drawing: Drawing;
  private readonly undo: (() => void)[] = [];
  private attempt: Attempt | null = null;
  private detail: Detail | undefined;
  private feed: Feed | null = null;
  private totals: LineTotal[] = [];
  private hasSource = false;
  private drawnStand = '';
  /** Whether somebody has selected something since it was first drawn: by itself a picture asks for no rest. */
  private isByHand = false;
  private hasLooked = false;
  /** How an attempt stood when its detail came. */
  private readonly stoodAt = new Map<number, string>();
  /** Of which the kernel has given all it has. */
  private readonly loaded = new Set<number>();
  private asking: number | null = null;
  private askedAt = 0;
  private later = 0;
  private problem: { id: number; message: string } | null = null;

  constructor(private readonly context: Context) {
    this.head = new AttemptHead(context);
    this.source = new SourceView({ pick: line => this.pick(line) });
    this.waterfall = new WaterfallView({
      look: (line, show) => this.source.mark(line, show),
      unpick: () => this.pick(undefined)
    });
    this.element.append(this.empty, this.body);
    this.body.append(
      this.head.element,
      this.head.texts,
      this.status,
      this.retry,
      this.source.element,
      this.waterfall.element
    );
    this.waterfall.notice.append(this.missing, ' ', this.load);
    this.undo.push(
      ...[this.load, this.retry].map(button =>
        listen(button, 'click', () => this.attempt && this.ask(this.attempt))
      ),
      context.kernel.subscribe(() => {
        this.problem = null;
        this.drawing.request();
      }),
      context.selection.subscribe(() => {
        this.problem = null;
        this.isByHand = this.hasLooked;
      })
    );
    this.drawing = follow(context, this.element, () => this.draw());
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    clearTimeout(this.later);
    this.undo.forEach(undo => undo());
    this.drawing.dispose();
    this.source.dispose();
    this.waterfall.dispose();
  }

  table(): Table {
    const rows = (this.feed?.entries ?? []).flatMap(entry =>
      entry.type === 'request'
        ? [
            [
              entry.seq,
              entry.name,
              entry.detail,
              entry.line,
              entry.from,
              entry.took,
              entry.bytesIn,
              entry.bytesOut,
              entry.cpu,
              entry.error
            ]
          ]
        : entry.type === 'log'
          ? [[null, entry.level, entry.text, entry.line, entry.from, null, null, null, null, '']]
          : []
    );
    const columns = [
      'seq',
      'operation',
      'detail',
      'line',
      'started_ms',
      'duration_ms',
      'bytes_in',
      'bytes_out',
      'cpu_ms',
      'error'
    ];
    return {
      name: this.attempt ? `${this.attempt.method} ${this.attempt.label}` : 'execution',
      columns,
      rows
    };
  }

  svg(): SVGSVGElement | null {
    if (this.attempt === null || this.feed === null) {
      return null;
    }
    return waterfallSvg(
      summaryOf(this.attempt, this.context.journal.limits.requests, this.totals),
      this.waterfall.entries,
      this.span()
    );
  }

  private draw(): void {
    const { journal, selection } = this.context;
    const index = journal.indexOf(selection.value);
    this.hasLooked = true;
    this.empty.hidden = index >= 0;
    this.body.hidden = index < 0;
    if (index < 0) {
      this.attempt = null;
      this.detail = undefined;
      this.feed = null;
      const missing = selection.value !== null ? 'The selected execution is not in this picture.' : '';
      setText(this.empty, missing || 'Select an execution to see its source, its requests and its logs.');
      setAttribute(this.element, 'aria-label', 'Execution: none is selected');
      return;
    }
    const fresh = this.attempt?.id !== selection.value;
    this.attempt = journal.attempt(index);
    this.drawDetail(this.attempt, fresh);
    this.head.draw(this.attempt);
    this.askIfNeeded(this.attempt);
    this.drawStatus(this.attempt);
    this.waterfall.resize();
    setAttribute(this.element, 'aria-label', summaryOf(this.attempt, journal.limits.requests, this.totals));
  }

  // its source and its requests

  private drawDetail(attempt: Attempt, fresh: boolean): void {
    const { journal } = this.context;
    const detail = journal.detail(attempt.id);
    const source = journal.source(journal.rawTwist(attempt.index), attempt.version);
    const arrived = detail !== this.detail;
    if (detail && !fresh && arrived) {
      this.stoodAt.set(attempt.id, standOf(attempt));
    } else if (detail && !this.stoodAt.has(attempt.id)) {
      this.stoodAt.set(attempt.id, standOf(attempt));
    }
    const stand = standOf(attempt);
    if (!fresh && !arrived && stand === this.drawnStand) {
      return;
    }
    this.drawnStand = stand;
    this.detail = detail;
    this.totals = detail ? lineTotals(detail.lines) : [];
    const { limits } = journal;
    this.feed = detail ? feedOf(detail, attempt.started, attempt.requests, limits.requests) : null;
    this.head.drawTexts(attempt, detail);
    this.hasSource = source !== undefined;
    const facts: SourceFacts = {
      text: source?.text ?? null,
      title: `${safeLine(source?.filename ?? attempt.twist, 80)}, version ${attempt.version}`,
      owner: attempt.twist.split('/')[0] ?? '',
      method: attempt.method,
      totals: this.totals,
      limit: limits.requests,
      stop: stopOf(attempt, limits.requests),
      calls: source ? tracedLines(detail?.traceback ?? null, source.filename) : []
    };
    this.source.show(facts, fresh);
    if (this.feed) {
      this.waterfall.show(
        {
          label: `${attempt.label} ${attempt.method}`,
          feed: this.feed,
          span: this.span(),
          limit: limits.requests
        },
        fresh
      );
    }
  }

  /** Milliseconds from its start to its end, or as far as is known. */
  private span(): number {
    const { attempt, feed } = this;
    const took = attempt?.ended == null ? 0 : attempt.ended - attempt.started;
    return Math.max(took, feed?.end ?? 0, 1);
  }

  private pick(line: number | null | undefined): void {
    this.source.setPicked(line);
    this.waterfall.setLine(line);
  }

  // what has to be asked for

  private askIfNeeded(attempt: Attempt): void {
    const { kernel } = this.context;
    const isNew = this.stoodAt.get(attempt.id) !== standOf(attempt);
    const isPartial = this.feed !== null && (this.feed.missing > 0 || this.feed.logsMissing > 0);
    const wanted =
      this.detail === undefined ||
      isNew ||
      (isPartial && (this.isByHand || kernel.hasShown === true) && !this.loaded.has(attempt.id));
    if (!wanted || !kernel.live || this.asking !== null || this.problem?.id === attempt.id) {
      return;
    }
    const wait = this.askedAt + PATIENCE - Date.now();
    if (isNew && this.detail !== undefined && wait > 0) {
      clearTimeout(this.later);
      this.later = window.setTimeout(() => this.drawing.request(), wait);
      return;
    }
    this.ask(attempt);
  }

  private ask(attempt: Attempt): void {
    if (this.asking !== null) {
      return;
    }
    this.asking = attempt.id;
    this.askedAt = Date.now();
    this.problem = null;
    this.context.kernel
      .detail(attempt.id)
      .then(() => {
        if (this.context.journal.detail(attempt.id) === undefined) {
          throw new Error('the kernel has no such execution (any more): run the cell again');
        }
        this.loaded.add(attempt.id);
        this.stoodAt.set(attempt.id, standOf(attempt));
      })
      .catch((error: unknown) => {
        this.problem = { id: attempt.id, message: messageOf(error) };
      })
      .finally(() => {
        this.asking = null;
        this.drawing.request();
      });
    this.drawStatus(attempt);
  }

  private drawStatus(attempt: Attempt): void {
    const { kernel } = this.context;
    const { feed } = this;
    const isLoading = this.asking === attempt.id && (feed === null || feed.missing > 0);
    const failed =
      this.problem?.id === attempt.id ? `It could not be loaded: ${block(this.problem.message, 500)}` : '';
    const absent = feed === null && !kernel.live ? NOT_HERE : '';
    const words = isLoading ? 'Loading…' : failed || absent;
    setText(this.status, words);
    this.status.hidden = words === '';
    this.source.element.hidden = !this.hasSource && this.totals.length === 0;
    this.waterfall.element.hidden = feed === null;
    const isPartial =
      feed !== null && (feed.missing > 0 || feed.logsMissing > 0) && !this.loaded.has(attempt.id);
    const hadFocus = document.activeElement === this.load || document.activeElement === this.retry;
    this.waterfall.notice.hidden = !isPartial;
    setText(
      this.missing,
      isPartial
        ? missingWords(attempt, feed) + (kernel.live ? '' : ' To see the rest, run the cell again.')
        : ''
    );
    this.load.hidden = !kernel.live;
    this.retry.hidden = feed !== null || failed === '' || !kernel.live;
    if (hadFocus && feed !== null && !isPartial) {
      this.waterfall.focus();
    }
  }
}

function missingWords(attempt: Attempt, feed: Feed): string {
  const parts: string[] = [];
  if (feed.missing > 0) {
    const all = counted(attempt.requests, 'request');
    parts.push(feed.performed > 0 ? `the first ${count(feed.performed)} of ${all}` : `none of its ${all}`);
  }
  if (feed.logsMissing > 0) {
    parts.push(`all but ${counted(feed.logsMissing, 'log')}`);
  }
  return `This picture has ${parts.join(', and ')}.`;
}

/** What changes while an attempt goes on. */
function standOf(attempt: Attempt): string {
  return `${attempt.requests} ${attempt.outcome}`;
}
