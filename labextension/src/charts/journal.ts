/** All rows of one picture, counted as they come. */

import { bytes, floats, integers, naturals, TextColumn, word } from './columns';
import type { Column } from './columns';
import { Tally } from './tally';
import { line } from './text';
import { KINDS } from './wire';
import type {
  Cursor,
  Detail,
  ExecutionRows,
  Kind,
  Limits,
  ProgressRows,
  Rows,
  ScheduledRows,
  Source,
  WriteRows
} from './wire';

/** The share of a limit from which an execution is near it. */
export const CLOSE = 0.8;

export type Limited = 'requests' | 'cpu' | 'memory' | 'time';

/** One attempt at an execution, made when it is asked for. Its texts are safe to show. */
export interface Attempt {
  /** Its place in the journal. */
  index: number;
  id: number;
  /** Its execution's place by arrival, from 1: what `#4` counts. */
  number: number;
  execution: number;
  attempt: number;
  /** The attempt that set it off: the one before it, or the last of the execution that queued it; or -1. */
  parentIndex: number;
  twist: string;
  version: number;
  method: string;
  cause: string;
  outcome: string;
  requests: number;
  /** Requests by kind, in the order of the bar's parts; they make up `requests`. */
  spent: [Kind, number][];
  cpu_ms: number | null;
  wall_ms: number | null;
  memory_peak: number | null;
  queued: number | null;
  started: number;
  /** Null while it runs. */
  ended: number | null;
  line: number | null;
  error: string;
  /** The limit it went over. */
  over: Limited | null;
  /** Limits of which it used 80% or more. */
  near: Limited[];
  /** Whether it ended in anything but success. */
  failed: boolean;
  /** How it is referred to: `#4`, or `#4, attempt 2`. */
  label: string;
}

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

const NEAR: Limited[] = ['requests', 'cpu', 'memory'];
const LIMITED: Limited[] = [...NEAR, 'time'];
const FAILED = 8;
const RUNNING = 16;

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

/** The rows of a picture: in columns, by the attempts' order of arrival. */
export class Journal {
  origin = 0;
  now = 0;
  running = false;
  paused: string | null = null;
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

  private _length = 0;
  private _version = 0;
  private readonly _places = new Map<number, number>();
  private readonly _numbers = new Map<number, number>();
  private readonly _children = new Map<number, { first: number; last: number }>();
  private readonly _unfinished = new Set<number>();
  private readonly _writePlaces = new Map<number, number>();
  private readonly _details = new Map<number, Detail>();
  private readonly _sources = new Map<string, Source>();
  private readonly _subscribers = new Set<() => void>();
  private _tally = new Tally();
  private _heaviest = -1;
  private _most = -1;

  private readonly _id = floats();
  private readonly _execution = floats();
  private readonly _parent = floats();
  private readonly _number = naturals();
  private readonly _attempt = naturals();
  private readonly _codeVersion = floats();
  private readonly _requests = naturals();
  private readonly _cpu = floats();
  private readonly _wall = floats();
  private readonly _memory = floats();
  private readonly _queued = floats();
  private readonly _started = floats();
  private readonly _ended = floats();
  private readonly _line = floats();
  private readonly _flags = bytes();
  private readonly _changed = naturals();
  /** Row before at the same execution, row after among those of one parent; -1. */
  private readonly _previous = integers();
  private readonly _sibling = integers();
  /** By number of the execution, from 1. */
  private readonly _lastRow = integers();
  private readonly _twist = new TextColumn(raw => line(raw, 80));
  private readonly _method = new TextColumn(raw => line(raw, 60));
  private readonly _cause = new TextColumn(raw => line(raw, 24));
  private readonly _outcome = new TextColumn(raw => line(raw, 24));
  private readonly _error = new TextColumn(raw => line(raw, 300));
  private readonly _spent = new Map<Kind, Column<Uint32Array>>();

  constructor(rows?: Rows) {
    if (rows) {
      this.apply(rows);
    }
  }

  /** How many attempts there are. */
  get length(): number {
    return this._length;
  }

  /** Counts the rows applied; `changedAt(index)` compares with it. */
  get version(): number {
    return this._version;
  }

  /** How many executions there are, attempts at the same one counted once. */
  get executions(): number {
    return this._numbers.size;
  }

  /** Whether more will come. */
  get isRunning(): boolean {
    return this.running;
  }

  /** Whether an execution ended in anything but success. */
  get failed(): boolean {
    return [...this._tally.outcomes.keys()].some(outcome => outcome !== 'ok' && outcome !== 'running');
  }

  /** The attempts that have not ended, by id. */
  unfinished(): number[] {
    return [...this._unfinished];
  }

  /** Where the attempt with the most requests is, of several the first; null where there is none. */
  heaviest(): number | null {
    return this._heaviest < 0 ? null : this._heaviest;
  }

  /** Where the first attempt is that ended in anything but success. */
  firstFailure(): number | null {
    for (let index = 0; index < this._length; index += 1) {
      if (this.failedAt(index)) {
        return index;
      }
    }
    return null;
  }

  /** The requests of all attempts. */
  get requests(): number {
    return this._tally.requests;
  }

  /** Take in rows: new ones, and those that replace what has their id; who subscribed hears of it once. */
  apply(rows: Rows): void {
    this._version += 1;
    const recount = !sameLimits(this.limits, rows.limits);
    this.origin = rows.origin;
    this.now = rows.now;
    this.running = rows.running;
    this.paused = rows.paused;
    this.limits = rows.limits;
    this.value = rows.value;
    this.scheduled = rows.scheduled;
    this.progress = rows.progress;
    this.leftOut = rows.left_out;
    this.writesLeftOut = rows.writes_left_out;
    this.cursor = rows.to ?? this.cursor;
    for (let row = 0; row < rows.executions.id.length; row += 1) {
      this._take(rows.executions, row);
    }
    if (recount) {
      this._recount();
    }
    this._takeWrites(rows.writes);
    rows.details.forEach(detail => this._details.set(detail.id, detail));
    rows.sources.forEach(source => this._sources.set(sourceName(source.twist, source.version), source));
    this._tell();
  }

  /** Returns what ends the subscription. */
  subscribe(changed: () => void): () => void {
    this._subscribers.add(changed);
    return () => void this._subscribers.delete(changed);
  }

  /** All of one attempt. */
  attempt(index: number): Attempt {
    if (index < 0 || index >= this._length) {
      throw new RangeError(`there is no attempt at ${index}: the journal has ${this._length}`);
    }
    const number = this._number.at(index);
    const attempt = this._attempt.at(index);
    const outcome = this._outcome.at(index);
    return {
      index,
      id: this._id.at(index),
      number,
      execution: this._execution.at(index),
      attempt,
      parentIndex: this.causeOf(index),
      twist: this._twist.at(index),
      version: this._codeVersion.at(index),
      method: this._method.at(index),
      cause: this._cause.at(index),
      outcome,
      requests: this._requests.at(index),
      spent: this.spentAt(index),
      cpu_ms: this._cpu.known(index),
      wall_ms: this._wall.known(index),
      memory_peak: this._memory.known(index),
      queued: this._queued.known(index),
      started: this._started.at(index),
      ended: this._ended.known(index),
      line: this._line.known(index),
      error: this._error.at(index),
      over: LIMITED.find(name => outcome === `over_${name}`) ?? null,
      near: this.nearLimits(index),
      failed: this.failedAt(index),
      label: attempt > 1 ? `#${number}, attempt ${attempt}` : `#${number}`
    };
  }

  /** Where the attempt with an id is; -1 where it is not. */
  indexOf(id: number): number {
    return this._places.get(id) ?? -1;
  }

  /** Where the last attempt at an execution is; -1. */
  lastAttemptOf(execution: number): number {
    const number = this._numbers.get(execution);
    return number === undefined ? -1 : this._lastRow.at(number);
  }

  /** Where the attempt before it at the same execution is; -1. */
  previousOf(index: number): number {
    return this._previous.at(index);
  }

  /** Where the attempt is that set it off: the one before it, or of the execution that queued it; -1. */
  causeOf(index: number): number {
    const previous = this._previous.at(index);
    const parent = this._parent.known(index);
    if (previous >= 0 || parent === null) {
      return previous;
    }
    let found = this.lastAttemptOf(parent);
    while (found > index) {
      found = this._previous.at(found);
    }
    return found;
  }

  /** Where the first attempts are at the executions that an execution queued. */
  childrenOf(execution: number): number[] {
    const found: number[] = [];
    let index = this._children.get(execution)?.first ?? -1;
    while (index >= 0) {
      found.push(index);
      index = this._sibling.at(index);
    }
    return found;
  }

  // Single figures, for drawing very many without making objects.

  idAt(index: number): number {
    return this._id.at(index);
  }

  numberAt(index: number): number {
    return this._number.at(index);
  }

  methodAt(index: number): string {
    return this._method.at(index);
  }

  /** The twist's name as it came, which a source is known by. */
  rawTwist(index: number): string {
    return this._twist.raw(index);
  }

  requestsAt(index: number): number {
    return this._requests.at(index);
  }

  /** Null where nobody knows. */
  queuedAt(index: number): number | null {
    return this._queued.known(index);
  }

  startedAt(index: number): number {
    return this._started.at(index);
  }

  /** Null while it runs. */
  endedAt(index: number): number | null {
    return this._ended.known(index);
  }

  runningAt(index: number): boolean {
    return (this._flags.at(index) & RUNNING) !== 0;
  }

  failedAt(index: number): boolean {
    return (this._flags.at(index) & FAILED) !== 0;
  }

  nearAt(index: number): boolean {
    return (this._flags.at(index) & 7) !== 0;
  }

  nearLimits(index: number): Limited[] {
    return NEAR.filter((_, bit) => this._flags.at(index) & (1 << bit));
  }

  /** Which `version` changed it last. */
  changedAt(index: number): number {
    return this._changed.at(index);
  }

  /** Requests by kind such that they make up the metered total: it is the meter that counts. */
  spentAt(index: number): [Kind, number][] {
    const counts = KINDS.map(kind => this._spent.get(kind)?.at(index) ?? 0);
    const other = counts.length - 1;
    let missing = this._requests.at(index) - counts.reduce((sum, number) => sum + number, 0);
    while (missing < 0 && counts.some(number => number > 0)) {
      const largest = counts.indexOf(Math.max(...counts));
      const given = Math.min(counts[largest] ?? 0, -missing);
      counts[largest] = (counts[largest] ?? 0) - given;
      missing += given;
    }
    counts[other] = (counts[other] ?? 0) + Math.max(0, missing);
    return KINDS.map((kind, place): [Kind, number] => [kind, counts[place] ?? 0]).filter(([, number]) => number);
  }

  /** Requests of all attempts by kind, in the order of the bar's parts. */
  totals(): [Kind, number][] {
    return this._tally.totals();
  }

  /** The first thing to know, as a sentence: the words of `Digest.headline` in `plot_nb/view/digest.py`. */
  summary(): string {
    const { outcomes, requests } = this._tally;
    const heaviest = this._heaviest;
    if (!this._length) {
      return 'Nothing ran.';
    }
    const last = this._length - 1;
    return this._tally.headline({
      executions: this._numbers.size,
      requests,
      outcomes,
      limit: this.limits.requests,
      most: heaviest < 0 ? null : { requests: this.requestsAt(heaviest), label: this._named(heaviest) },
      lastLine: this._line.known(last)
    });
  }

  /** The rest of what to know, in short sentences. */
  remarks(): string[] {
    return this._tally.remarks(this.scheduled);
  }

  /** All about an attempt, once it was asked for. */
  detail(id: number): Detail | undefined {
    return this._details.get(id);
  }

  /** The text of a version of a twist, by the name as it came. */
  source(twist: string, version: number): Source | undefined {
    return this._sources.get(sourceName(twist, version));
  }

  /** Keep what was asked for; who subscribed hears of it. */
  addDetail(detail: Detail, source: Source | null = null): void {
    this._version += 1;
    this._details.set(detail.id, detail);
    if (source) {
      this._sources.set(sourceName(source.twist, source.version), source);
    }
    this._tell();
  }

  private _named(index: number): string {
    return `${this._method.at(index)} #${this._number.at(index)}`;
  }

  private _take(rows: ExecutionRows, row: number): void {
    const id = rows.id[row] ?? 0;
    let index = this._places.get(id);
    if (index === undefined) {
      index = this._append(id, rows, row);
    } else {
      this._count(index, -1);
    }
    this._attempt.set(index, rows.attempt[row] ?? 1);
    this._codeVersion.set(index, rows.version[row] ?? 0);
    this._twist.set(index, word(rows.twist, row));
    this._method.set(index, word(rows.method, row));
    this._cause.set(index, word(rows.cause, row));
    this._outcome.set(index, word(rows.outcome, row) || 'running');
    this._error.set(index, word(rows.error, row));
    this._requests.set(index, rows.requests[row] ?? 0);
    this._cpu.set(index, rows.cpu_ms[row] ?? NaN);
    this._wall.set(index, rows.wall_ms[row] ?? NaN);
    this._memory.set(index, rows.memory_peak[row] ?? NaN);
    this._queued.set(index, rows.queued[row] ?? NaN);
    this._started.set(index, rows.started[row] ?? 0);
    this._ended.set(index, rows.ended[row] ?? NaN);
    this._line.set(index, rows.line[row] ?? NaN);
    for (const kind of KINDS) {
      const number = rows.spent[kind]?.[row] ?? 0;
      if (number && !this._spent.has(kind)) {
        this._spent.set(kind, naturals());
      }
      this._spent.get(kind)?.set(index, number);
    }
    this._changed.set(index, this._version);
    this._flags.set(index, this._flagsOf(index));
    this._count(index, 1);
    this._weigh(index);
    if (this.runningAt(index)) {
      this._unfinished.add(id);
    } else {
      this._unfinished.delete(id);
    }
  }

  private _append(id: number, rows: ExecutionRows, row: number): number {
    const index = this._length;
    const execution = rows.execution[row] ?? id;
    const parent = rows.parent[row] ?? null;
    const known = this._numbers.get(execution);
    const number = known ?? this._numbers.size + 1;
    this._length += 1;
    this._places.set(id, index);
    this._id.set(index, id);
    this._execution.set(index, execution);
    this._parent.set(index, parent ?? NaN);
    this._number.set(index, number);
    this._previous.set(index, known === undefined ? -1 : this._lastRow.at(number));
    this._sibling.set(index, -1);
    if (known === undefined) {
      this._numbers.set(execution, number);
      this._adopt(parent, index);
    } else {
      this._tally.replaceLast(this._outcome.at(this._lastRow.at(number)));
    }
    this._lastRow.set(number, index);
    return index;
  }

  private _adopt(parent: number | null, index: number): void {
    if (parent === null) {
      return;
    }
    const children = this._children.get(parent);
    if (children) {
      this._sibling.set(children.last, index);
      children.last = index;
    } else {
      this._children.set(parent, { first: index, last: index });
    }
  }

  /** Count an attempt in, or before it changes out. */
  private _count(index: number, sign: 1 | -1): void {
    const number = this._number.at(index);
    this._tally.count(sign, {
      number,
      spent: this.spentAt(index),
      requests: this._requests.at(index),
      cpu_ms: this._cpu.known(index) ?? 0,
      memory: this._memory.known(index) ?? 0,
      near: this.nearAt(index),
      again: this._previous.at(index) >= 0,
      outcome: this._lastRow.at(number) === index ? this._outcome.at(index) : null
    });
  }

  /** Keep in mind which attempt has the most requests; of several the first. */
  private _weigh(index: number): void {
    const requests = this._requests.at(index);
    if (index === this._heaviest && requests < this._most) {
      this._most = -1;
      this._heaviest = -1;
      for (let each = 0; each < this._length; each += 1) {
        this._weigh(each);
      }
      return;
    }
    if (requests > this._most || (requests === this._most && index < this._heaviest)) {
      this._most = requests;
      this._heaviest = index;
    }
  }

  private _recount(): void {
    this._tally = new Tally();
    for (let index = 0; index < this._length; index += 1) {
      this._flags.set(index, this._flagsOf(index));
      this._changed.set(index, this._version);
      this._count(index, 1);
    }
  }

  private _flagsOf(index: number): number {
    const { limits } = this;
    const outcome = this._outcome.at(index);
    const shares = [
      this._requests.at(index) / limits.requests,
      (this._cpu.known(index) ?? 0) / 1000 / limits.cpu,
      (this._memory.known(index) ?? 0) / limits.memory
    ];
    let flags = outcome === 'running' ? RUNNING : outcome === 'ok' ? 0 : FAILED;
    shares.forEach((share, bit) => {
      if (share >= CLOSE && outcome !== `over_${NEAR[bit]}`) {
        flags |= 1 << bit;
      }
    });
    return flags;
  }

  private _takeWrites(rows: WriteRows): void {
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
      const place = this._writePlaces.get(id) ?? this.writes.length;
      this._writePlaces.set(id, place);
      this.writes[place] = write;
    });
  }

  private _tell(): void {
    for (const tell of [...this._subscribers]) {
      tell();
    }
  }
}

function sourceName(twist: string, version: number): string {
  return `${version} ${twist}`;
}

function sameLimits(one: Limits, other: Limits): boolean {
  return one.requests === other.requests && one.cpu === other.cpu && one.memory === other.memory;
}
