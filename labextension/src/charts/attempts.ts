/** Attempts in columns, by their order of arrival. */

import { bytes, floats, integers, naturals, TextColumn, word } from './columns';
import type { Column } from './columns';
import { line } from './text';
import { KINDS } from './wire';
import type { ExecutionRows, Kind, Limits } from './wire';

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

const NEAR: Limited[] = ['requests', 'cpu', 'memory'];
const LIMITED: Limited[] = [...NEAR, 'time'];

// Bits of a row: the first three are those of NEAR.
const ANY_NEAR = 7;
const FAILED = 8;
const RUNNING = 16;

/** Whether an outcome is of what ended in anything but success; what was suspended did not begin. */
export function isFailure(outcome: string): boolean {
  return outcome !== 'ok' && outcome !== 'running' && outcome !== 'suspended';
}

/** Attempts by index. Figures are had one by one for drawing very many, or together as an `Attempt`. */
export class Attempts {
  private size = 0;
  private forgotten = 0;
  private readonly places = new Map<number, number>();
  /** Numbers of executions, from 1. */
  private readonly numbers = new Map<number, number>();
  /** The last attempt by number of the execution. */
  private readonly lastOf = integers();
  private readonly children = new Map<number, { first: number; last: number }>();
  private readonly open = new Set<number>();
  private readonly spent = new Map<Kind, Column<Uint32Array>>();
  private readonly column = {
    id: floats(),
    execution: floats(),
    parent: floats(),
    number: naturals(),
    attempt: naturals(),
    version: floats(),
    requests: naturals(),
    cpu: floats(),
    wall: floats(),
    memory: floats(),
    queued: floats(),
    started: floats(),
    ended: floats(),
    line: floats(),
    flags: bytes(),
    changed: naturals(),
    /** The attempt before it at the same execution; -1. */
    previous: integers(),
    /** The next execution that the same one queued; -1. */
    sibling: integers(),
    twist: new TextColumn(raw => line(raw, 80)),
    method: new TextColumn(raw => line(raw, 60)),
    cause: new TextColumn(raw => line(raw, 24)),
    outcome: new TextColumn(raw => line(raw, 24)),
    error: new TextColumn(raw => line(raw, 300))
  };

  /** How many attempts there are. */
  get length(): number {
    return this.size;
  }

  /** Changes when all attempts were forgotten, and come again at other places. */
  get generation(): number {
    return this.forgotten;
  }

  /** How many executions there are, attempts at the same one counted once. */
  get executions(): number {
    return this.numbers.size;
  }

  /** The attempts that have not ended, by id. */
  unfinished(): number[] {
    return [...this.open];
  }

  /** Where the attempt with an id is; -1 where it is not, and for null. */
  indexOf(id: number | null): number {
    return id === null ? -1 : (this.places.get(id) ?? -1);
  }

  /** Where the last attempt at an execution is; -1. */
  lastAttemptOf(execution: number): number {
    const number = this.numbers.get(execution);
    return number === undefined ? -1 : this.lastOf.at(number);
  }

  /** Whether no later attempt speaks for its execution. */
  protected isLast(index: number): boolean {
    return this.lastOf.at(this.numberAt(index)) === index;
  }

  /** Where the attempt before it at the same execution is; -1. */
  previousOf(index: number): number {
    return this.column.previous.at(index);
  }

  /** Where the attempt is that set it off: the one before it, or of the execution that queued it; -1. */
  causeOf(index: number): number {
    const previous = this.column.previous.at(index);
    const parent = this.column.parent.known(index);
    if (previous >= 0 || parent === null) {
      return previous;
    }
    let found = this.lastAttemptOf(parent);
    while (found > index) {
      found = this.column.previous.at(found);
    }
    return found;
  }

  /** Where the first attempts are at the executions that an execution queued. */
  childrenOf(execution: number): number[] {
    const found: number[] = [];
    let index = this.children.get(execution)?.first ?? -1;
    while (index >= 0) {
      found.push(index);
      index = this.column.sibling.at(index);
    }
    return found;
  }

  idAt(index: number): number {
    return this.column.id.at(index);
  }

  numberAt(index: number): number {
    return this.column.number.at(index);
  }

  methodAt(index: number): string {
    return this.column.method.at(index);
  }

  outcomeAt(index: number): string {
    return this.column.outcome.at(index);
  }

  /** The twist's name as it came, which a source is known by. */
  rawTwist(index: number): string {
    return this.column.twist.raw(index);
  }

  requestsAt(index: number): number {
    return this.column.requests.at(index);
  }

  /** Null where nobody knows. */
  queuedAt(index: number): number | null {
    return this.column.queued.known(index);
  }

  startedAt(index: number): number {
    return this.column.started.at(index);
  }

  /** Null while it runs. */
  endedAt(index: number): number | null {
    return this.column.ended.known(index);
  }

  lineAt(index: number): number | null {
    return this.column.line.known(index);
  }

  runningAt(index: number): boolean {
    return (this.column.flags.at(index) & RUNNING) !== 0;
  }

  failedAt(index: number): boolean {
    return (this.column.flags.at(index) & FAILED) !== 0;
  }

  nearAt(index: number): boolean {
    return (this.column.flags.at(index) & ANY_NEAR) !== 0;
  }

  /** Which version of the journal changed it last. */
  changedAt(index: number): number {
    return this.column.changed.at(index);
  }

  /** Requests by kind such that they make up the metered total: it is the meter that counts. */
  spentAt(index: number): [Kind, number][] {
    const counts = KINDS.map(kind => this.spent.get(kind)?.at(index) ?? 0);
    const other = counts.length - 1;
    let missing = this.requestsAt(index) - counts.reduce((sum, number) => sum + number, 0);
    while (missing < 0) {
      const largest = counts.indexOf(Math.max(...counts));
      const given = Math.min(counts[largest] ?? 0, -missing);
      counts[largest] = (counts[largest] ?? 0) - given;
      missing += given;
    }
    counts[other] = (counts[other] ?? 0) + missing;
    return KINDS.map((kind, place): [Kind, number] => [kind, counts[place] ?? 0]).filter(([, number]) => number);
  }

  /** All of one attempt. */
  attempt(index: number): Attempt {
    if (index < 0 || index >= this.size) {
      throw new RangeError(`there is no attempt at ${index}: the journal has ${this.size}`);
    }
    const { column } = this;
    const number = column.number.at(index);
    const attempt = column.attempt.at(index);
    const outcome = column.outcome.at(index);
    return {
      index,
      id: column.id.at(index),
      number,
      execution: column.execution.at(index),
      attempt,
      parentIndex: this.causeOf(index),
      twist: column.twist.at(index),
      version: column.version.at(index),
      method: column.method.at(index),
      cause: column.cause.at(index),
      outcome,
      requests: column.requests.at(index),
      spent: this.spentAt(index),
      cpu_ms: column.cpu.known(index),
      wall_ms: column.wall.known(index),
      memory_peak: column.memory.known(index),
      queued: column.queued.known(index),
      started: column.started.at(index),
      ended: column.ended.known(index),
      line: column.line.known(index),
      error: column.error.at(index),
      over: LIMITED.find(name => outcome === `over_${name}`) ?? null,
      near: NEAR.filter((_, bit) => column.flags.at(index) & (1 << bit)),
      failed: this.failedAt(index),
      label: attempt > 1 ? `#${number}, attempt ${attempt}` : `#${number}`
    };
  }

  /** Begin anew, with other attempts or other places. */
  protected forget(): void {
    this.forgotten += 1;
    this.size = 0;
    for (const known of [this.places, this.numbers, this.children, this.open]) {
      known.clear();
    }
  }

  /** Take in one row in place of that with its id, or behind all others. Returns where it is. */
  protected put(rows: ExecutionRows, row: number, limits: Limits, version: number): number {
    const { column } = this;
    const id = rows.id[row] ?? 0;
    const index = this.places.get(id) ?? this.append(id, rows.execution[row] ?? id, rows.parent[row] ?? null);
    column.attempt.set(index, rows.attempt[row] ?? 1);
    column.version.set(index, rows.version[row] ?? 0);
    column.twist.set(index, word(rows.twist, row));
    column.method.set(index, word(rows.method, row));
    column.cause.set(index, word(rows.cause, row));
    column.outcome.set(index, word(rows.outcome, row) || 'running');
    column.error.set(index, word(rows.error, row));
    column.requests.set(index, rows.requests[row] ?? 0);
    column.cpu.set(index, rows.cpu_ms[row] ?? NaN);
    column.wall.set(index, rows.wall_ms[row] ?? NaN);
    column.memory.set(index, rows.memory_peak[row] ?? NaN);
    column.queued.set(index, rows.queued[row] ?? NaN);
    column.started.set(index, rows.started[row] ?? 0);
    column.ended.set(index, rows.ended[row] ?? NaN);
    column.line.set(index, rows.line[row] ?? NaN);
    for (const kind of KINDS) {
      this.putSpent(index, kind, rows.spent[kind]?.[row] ?? 0);
    }
    this.judge(index, limits, version);
    if (this.runningAt(index)) {
      this.open.add(id);
    } else {
      this.open.delete(id);
    }
    return index;
  }

  /** Note how it ended and which limits it is near. */
  protected judge(index: number, limits: Limits, version: number): void {
    const { column } = this;
    const outcome = column.outcome.at(index);
    const shares = [
      column.requests.at(index) / limits.requests,
      (column.cpu.known(index) ?? 0) / 1000 / limits.cpu,
      (column.memory.known(index) ?? 0) / limits.memory
    ];
    let flags = outcome === 'running' ? RUNNING : isFailure(outcome) ? FAILED : 0;
    shares.forEach((share, bit) => {
      if (share >= CLOSE && outcome !== `over_${NEAR[bit]}`) {
        flags |= 1 << bit;
      }
    });
    column.flags.set(index, flags);
    column.changed.set(index, version);
  }

  private append(id: number, execution: number, parent: number | null): number {
    const { column } = this;
    const index = this.size;
    const known = this.numbers.get(execution);
    const number = known ?? this.numbers.size + 1;
    this.size += 1;
    this.places.set(id, index);
    column.id.set(index, id);
    column.execution.set(index, execution);
    column.parent.set(index, parent ?? NaN);
    column.number.set(index, number);
    column.previous.set(index, known === undefined ? -1 : this.lastOf.at(number));
    column.sibling.set(index, -1);
    if (known === undefined) {
      this.numbers.set(execution, number);
      this.adopt(parent, index);
    }
    this.lastOf.set(number, index);
    return index;
  }

  private adopt(parent: number | null, index: number): void {
    if (parent === null) {
      return;
    }
    const children = this.children.get(parent);
    if (children) {
      this.column.sibling.set(children.last, index);
      children.last = index;
    } else {
      this.children.set(parent, { first: index, last: index });
    }
  }

  private putSpent(index: number, kind: Kind, number: number): void {
    if (number && !this.spent.has(kind)) {
      this.spent.set(kind, naturals());
    }
    this.spent.get(kind)?.set(index, number);
  }
}
