/** All rows of one picture, counted as they come. */

import { Attempts, isFailure } from './attempts';
import { word } from './columns';
import { Tally } from './tally';
import type { Cursor, Detail, Kind, Limits, ProgressRows, Rows, ScheduledRows, Source, WriteRows } from './wire';

export { CLOSE } from './attempts';
export type { Attempt, Limited } from './attempts';

/** One write or clear of a key, as it came: its texts are not yet safe to show. */
export interface Write {
  id: number;
  twist: string;
  key: string;
  version: number;
  type: string;
  bytes: number;
  updated: number;
  by: number | null;
  text: string | null;
}

const NO_LIMITS: Limits = { requests: 1000, cpu: 60, memory: 128 * 2 ** 20, time: 900, chain: 2000 };
const NO_TASKS: ScheduledRows = {
  execution: [],
  parent: [],
  method: { words: [], at: [] },
  key: { words: [], at: [] },
  due: [],
  every_ms: [],
  total: 0
};

/** The rows of a picture, and what there is to say about all of them. */
export class Journal extends Attempts {
  origin = 0;
  now = 0;
  /** Whether more will come. */
  running = false;
  paused: string | null = null;
  rate: string | null = null;
  limits: Limits = NO_LIMITS;
  value: string | null = null;
  scheduled: ScheduledRows = NO_TASKS;
  progress: ProgressRows | null = null;
  /** Attempts and writes that a saved picture does without. */
  leftOut = 0;
  writesLeftOut = 0;
  /** Up to where the rows go that came from a kernel. */
  cursor: Cursor = { attempt: 0, write: 0 };
  /** Writes of Store keys, by arrival. */
  readonly writes: Write[] = [];

  private applied = 0;
  private readonly writePlaces = new Map<number, number>();
  private readonly details = new Map<number, Detail>();
  private readonly sources = new Map<string, Source>();
  private readonly subscribers = new Set<() => void>();
  private tally = new Tally();
  private most: { index: number; requests: number } | null = null;

  constructor(rows?: Rows) {
    super();
    if (rows) {
      this.apply(rows);
    }
  }

  /** Counts what was taken in; `changedAt(index)` compares with it. */
  get version(): number {
    return this.applied;
  }

  /** Whether an execution ended in anything but success. */
  get failed(): boolean {
    return [...this.tally.outcomes.keys()].some(isFailure);
  }

  /** Where the attempt with the most requests is, of several the first; null where there is none. */
  heaviest(): number | null {
    return this.most?.index ?? null;
  }

  /** Where the first execution failed for good; where none did, the first attempt that was made again. */
  firstFailure(): number | null {
    let madeAgain: number | null = null;
    for (let index = 0; index < this.length; index += 1) {
      if (this.failedAt(index)) {
        if (this.isLast(index)) {
          return index;
        }
        madeAgain ??= index;
      }
    }
    return madeAgain;
  }

  /** Requests of all attempts by kind, in the order of the bar's parts. */
  totals(): [Kind, number][] {
    return this.tally.totals();
  }

  /** The first thing to know, as a sentence: the words of `Digest.headline` in `plot_nb/view/digest.py`. */
  summary(): string {
    if (!this.length) {
      return 'Nothing ran.';
    }
    const { most } = this;
    return this.tally.headline({
      executions: this.executions,
      limit: this.limits.requests,
      most: most && { requests: most.requests, label: `${this.methodAt(most.index)} #${this.numberAt(most.index)}` },
      lastLine: this.lineAt(this.length - 1)
    });
  }

  /** The rest of what to know, in short sentences. */
  remarks(): string[] {
    return this.tally.remarks(this.scheduled);
  }

  /** All about an attempt, once it was asked for. */
  detail(id: number): Detail | undefined {
    return this.details.get(id);
  }

  /** The text of a version of a twist, by the name as it came. */
  source(twist: string, version: number): Source | undefined {
    return this.sources.get(sourceName(twist, version));
  }

  /** Take in rows: new ones, and those that replace what has their id; who subscribed hears of it once. */
  apply(rows: Rows): void {
    this.applied += 1;
    const recount = !sameLimits(this.limits, rows.limits);
    this.origin = rows.origin;
    this.now = rows.now;
    this.running = rows.running;
    this.paused = rows.paused;
    // Pictures of earlier versions have none.
    this.rate = rows.rate ?? null;
    this.limits = rows.limits;
    this.value = rows.value;
    this.scheduled = rows.scheduled;
    this.begin(rows);
    for (let row = 0; row < rows.executions.id.length; row += 1) {
      this.take(rows, row);
    }
    if (recount) {
      this.recount();
    }
    this.takeWrites(rows.writes);
    this.progress = merged(this.progress, rows.progress);
    this.leave(rows);
    this.cursor = rows.to ?? this.cursor;
    rows.details.forEach(detail => this.details.set(detail.id, detail));
    rows.sources.forEach(source => this.sources.set(sourceName(source.twist, source.version), source));
    this.tell();
  }

  /** Keep what was asked for; who subscribed hears of it. */
  addDetail(detail: Detail, source: Source | null = null): void {
    this.applied += 1;
    this.details.set(detail.id, detail);
    if (source) {
      this.sources.set(sourceName(source.twist, source.version), source);
    }
    this.tell();
  }

  /** Returns what ends the subscription. */
  subscribe(changed: () => void): () => void {
    this.subscribers.add(changed);
    return () => void this.subscribers.delete(changed);
  }

  /** What a saved picture leaves out belongs between what it has: such rows are no start for those of a kernel. */
  private begin(rows: Rows): void {
    if (isStart(rows.from) && (this.leftOut > 0 || this.writesLeftOut > 0)) {
      this.forget();
      this.tally = new Tally();
      this.most = null;
      this.writes.length = 0;
      this.writePlaces.clear();
      this.progress = null;
    }
  }

  /** Note what is not here. A saved picture may come after rows of a kernel, which were more. */
  private leave(rows: Rows): void {
    if (rows.from === null) {
      this.leftOut = Math.max(0, rows.left_out + rows.executions.id.length - this.length);
      this.writesLeftOut = Math.max(0, rows.writes_left_out + rows.writes.id.length - this.writes.length);
    } else {
      this.leftOut = rows.left_out;
      this.writesLeftOut = rows.writes_left_out + (isStart(rows.from) ? 0 : this.writesLeftOut);
    }
  }

  private take(rows: Rows, row: number): void {
    const before = this.indexOf(rows.executions.id[row] ?? 0);
    const spokeBefore = this.lastAttemptOf(rows.executions.execution[row] ?? 0);
    if (before >= 0) {
      this.count(before, -1);
    } else if (spokeBefore >= 0) {
      this.tally.countOutcome(this.outcomeAt(spokeBefore), -1);
    }
    const index = this.put(rows.executions, row, this.limits, this.applied);
    this.count(index, 1);
    this.weigh(index);
  }

  /** Count an attempt in, or before it changes out. */
  private count(index: number, sign: 1 | -1): void {
    this.tally.count(sign, {
      number: this.numberAt(index),
      spent: this.spentAt(index),
      requests: this.requestsAt(index),
      near: this.nearAt(index),
      again: this.previousOf(index) >= 0
    });
    if (this.isLast(index)) {
      this.tally.countOutcome(this.outcomeAt(index), sign);
    }
  }

  /** Keep in mind which attempt has the most requests; of several the first. */
  private weigh(index: number): void {
    const requests = this.requestsAt(index);
    const { most } = this;
    if (most?.index === index && requests < most.requests) {
      this.most = null;
      for (let each = 0; each < this.length; each += 1) {
        this.weigh(each);
      }
    } else if (!most || requests > most.requests || (requests === most.requests && index < most.index)) {
      this.most = { index, requests };
    }
  }

  private recount(): void {
    this.tally = new Tally();
    for (let index = 0; index < this.length; index += 1) {
      this.judge(index, this.limits, this.applied);
      this.count(index, 1);
    }
  }

  private takeWrites(rows: WriteRows): void {
    rows.id.forEach((id, row) => {
      const write: Write = {
        id,
        twist: word(rows.twist, row),
        key: word(rows.key, row),
        version: rows.version[row] ?? 0,
        type: word(rows.type, row),
        bytes: rows.bytes[row] ?? 0,
        updated: rows.updated[row] ?? 0,
        by: rows.by[row] ?? null,
        text: rows.text[row] ?? null
      };
      const place = this.writePlaces.get(id) ?? this.writes.length;
      this.writePlaces.set(id, place);
      this.writes[place] = write;
    });
  }

  private tell(): void {
    for (const tell of [...this.subscribers]) {
      tell();
    }
  }
}

/** Rows that take the place of those with their ids, and follow the others. */
function merged(before: ProgressRows | null, rows: ProgressRows | null): ProgressRows | null {
  if (!before || !rows || rows.key !== before.key || rows.field !== before.field) {
    return rows;
  }
  const known = new Map(before.id.map((id, place) => [id, place]));
  let length = before.id.length;
  const places = rows.id.map(id => {
    const place = known.get(id) ?? length++;
    known.set(id, place);
    return place;
  });
  const put = <T>(old: readonly T[], fresh: readonly T[]): T[] => {
    const column = [...old];
    fresh.forEach((value, row) => (column[places[row] ?? row] = value));
    return column;
  };
  return {
    ...rows,
    id: put(before.id, rows.id),
    by: put(before.by, rows.by),
    updated: put(before.updated, rows.updated),
    items: put(before.items, rows.items),
    total: put(before.total, rows.total),
    rate: put(before.rate, rows.rate),
    requests_per_item: put(before.requests_per_item, rows.requests_per_item),
    left_ms: put(before.left_ms, rows.left_ms)
  };
}

function isStart(from: Cursor | null): boolean {
  return from !== null && from.attempt === 0 && from.write === 0;
}

function sourceName(twist: string, version: number): string {
  return `${version} ${twist}`;
}

function sameLimits(one: Limits, other: Limits): boolean {
  return one.requests === other.requests && one.cpu === other.cpu && one.memory === other.memory;
}
