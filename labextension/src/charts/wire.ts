/**
 * What crosses from the kernel to a picture, and back. The names are those of the journal's tables.
 *
 * Times are milliseconds on the runtime's clock since `Rows.origin`. Tables come as columns of equal length.
 * Every text in here may have been chosen by a twist: it is shown with `textContent`, never as markup.
 */

/**
 * In a notebook it holds the picture as JSON text: a notebook is written with each entry of an array on a line of its
 * own, which would make it several times as long.
 */
export const MIME_TYPE = 'application/vnd.plot-nb.picture+json';

/** The comm target that answers for pictures without a widget. */
export const COMM_TARGET = 'plot_nb.picture';

/** What a picture shows; `inspector` has all of the others. */
export const PANELS = ['inspector', 'budget', 'chain', 'store', 'execution', 'progress'] as const;
export type Panel = (typeof PANELS)[number];

/** A picture as it is saved in a notebook. */
export interface Picture {
  format: 1;
  panel: Panel;
  title: string;
  /** Under which key the kernel that made it answers; null where none does. */
  source: string | null;
  /** The attempt that is selected. */
  selected: number | null;
  /** Whether the kernel has more to say of it when nothing runs: later runs are in it too, or Python selects in it. */
  live: boolean;
  rows: Rows;
}

/** A column of texts of which few are different. */
export interface Words {
  words: string[];
  at: number[];
}

/** Rows of the journal: all of a picture, or what changed since the rows before. */
export interface Rows {
  /** Milliseconds since 1970, in UTC: where the times begin. */
  origin: number;
  now: number;
  /** Whether more will come. */
  running: boolean;
  /** Why a chain waits to be resumed. */
  paused: string | null;
  /** That Plot would suspend the twist for its rate, and where: the first notice of it. */
  rate: string | null;
  limits: Limits;
  /** What the first execution returned, as Python writes it. */
  value: string | null;
  /** A row with a known `id` takes the place of the one before. */
  executions: ExecutionRows;
  /** Work that waits for its time: the first of it, in place of all before. */
  scheduled: ScheduledRows;
  /** Writes of Store keys, by `id`. */
  writes: WriteRows;
  /** The writes of one key, as the progress of a sync; null where no key was named. */
  progress: ProgressRows | null;
  details: Detail[];
  sources: Source[];
  /** Attempts that are in the journal but, for their number, not in a saved picture. */
  left_out: number;
  /** Writes of Store keys before these that are not given at all; `from` the start anew, else added to those before. */
  writes_left_out: number;
  /** Up to where the rows before went, for who has lost some; null in a saved picture. */
  from: Cursor | null;
  to: Cursor | null;
}

export interface Cursor {
  attempt: number;
  write: number;
}

export interface Limits {
  requests: number;
  /** Seconds of computing. */
  cpu: number;
  /** Bytes. */
  memory: number;
  /** Seconds on the runtime's clock. */
  time: number;
  /** Executions after which a chain pauses. */
  chain: number;
}

/** Kinds of requests, in the order of the parts of a bar. */
export const KINDS = ['store', 'network', 'callbacks', 'tasks', 'plot', 'other'] as const;
export type Kind = (typeof KINDS)[number];

/** One row an attempt. */
export interface ExecutionRows {
  /** The attempt's own number, unique in the state file. */
  id: number[];
  /** The execution's number, the same for all attempts at it. */
  execution: number[];
  attempt: number[];
  /** The number of the execution that queued it. */
  parent: (number | null)[];
  twist: Words;
  version: number[];
  method: Words;
  cause: Words;
  /** `running` until it has ended. */
  outcome: Words;
  requests: number[];
  /** Requests by kind; a kind that none has is not there. */
  spent: Partial<Record<Kind, number[]>>;
  cpu_ms: (number | null)[];
  wall_ms: (number | null)[];
  memory_peak: (number | null)[];
  queued: (number | null)[];
  started: number[];
  ended: (number | null)[];
  /** The line of the cell where it failed. */
  line: (number | null)[];
  /** Empty where there is none. */
  error: Words;
}

/** One row a task that has not begun. */
export interface ScheduledRows {
  execution: number[];
  parent: (number | null)[];
  method: Words;
  key: Words;
  due: number[];
  every_ms: (number | null)[];
  /** How many there are, of which these are the first by `due`. */
  total: number;
}

/**
 * One row a write or clear of a key. Before a write that a run made stands the version that it replaced, of whoever
 * wrote that: ids do not always ascend.
 */
export interface WriteRows {
  id: number[];
  /** `Name`, or `Name/instance` for an instance that has a name of its own; so in all rows. */
  twist: Words;
  key: Words;
  version: number[];
  /** The Python type; `cleared` for a clear. */
  type: Words;
  /** Encoded as superjson. */
  bytes: number[];
  updated: number[];
  /** The attempt that wrote it; null: by hand. */
  by: (number | null)[];
  /** superjson text; null where it is cleared, or so long that it has to be asked for. */
  text: (string | null)[];
}

/** One row a write of the key. */
export interface ProgressRows {
  key: string;
  /**
   * Which entry of the value counts items; empty where the value itself does. Where it is another than before, these
   * are all rows.
   */
  field: string;
  /** How many items there will be; null where nobody knows. */
  expected: number | null;
  /** The write, as in `WriteRows`; a row with a known one takes the place of the one before. */
  id: number[];
  /** The attempt that wrote it; null: by hand. */
  by: (number | null)[];
  updated: number[];
  /** What this execution added. */
  items: number[];
  total: number[];
  /** Items a second on the runtime's clock, since the first write. */
  rate: (number | null)[];
  requests_per_item: (number | null)[];
  /** Milliseconds that are left at this rate. */
  left_ms: (number | null)[];
}

/** All about one attempt. */
export interface Detail {
  id: number;
  /** As Python writes them; options masked. */
  arguments: string | null;
  result: string | null;
  traceback: string | null;
  /** Totals by line, whatever `requests` leaves out. */
  lines: LineRows;
  requests: RequestRows;
  logs: LogRows;
  /** Logs that are not in `logs`. */
  logs_left_out: number;
}

export interface LineRows {
  line: (number | null)[];
  tool: Words;
  operation: Words;
  requests: number[];
}

/** One row a metered request; those over the limit were refused and are not here, but for the first. */
export interface RequestRows {
  seq: number[];
  tool: Words;
  operation: Words;
  detail: string[];
  line: (number | null)[];
  started: number[];
  duration_ms: (number | null)[];
  bytes_in: (number | null)[];
  bytes_out: (number | null)[];
  /** CPU that the execution had spent when it asked. */
  cpu_ms: (number | null)[];
  /** Empty where there is none. */
  error: Words;
}

export interface LogRows {
  /** How many requests had been made before it. */
  seq: number[];
  time: number[];
  level: Words;
  line: (number | null)[];
  text: string[];
}

/**
 * The text of a version: line n is line n of its cell, as tracebacks and editors count. In place of `%%twist`'s own
 * line, and of those above it, stand empty ones.
 */
export interface Source {
  twist: string;
  version: number;
  filename: string;
  text: string;
}

/** The first rows of what a runtime holds of one kind, at the moment it was asked. */
export interface StateTable {
  name: string;
  columns: string[];
  rows: (string | number | null)[][];
  /** How many rows there are. */
  total: number;
}

/** What a picture asks of the kernel. `view` tells pictures that share a connection apart. */
export type Ask =
  | { ask: 'follow'; view: string; after: Cursor; running: number[] }
  | { ask: 'detail'; view: string; number: number; id: number }
  | { ask: 'values'; view: string; number: number; ids: number[] }
  | { ask: 'state'; view: string; number: number }
  | { ask: 'write'; view: string; number: number; twist: string; key: string; text: string | null }
  | { ask: 'select'; view: string; id: number | null }
  | { ask: 'close'; view: string };

/** What the kernel answers: to one view, or with `view` null to all. */
export type Answer =
  | { view: string | null; rows: Rows }
  | { view: string; picture: Picture }
  | { view: string; number: number; detail: Detail; source: Source | null }
  | { view: string; number: number; values: { id: number; text: string }[] }
  | { view: string; number: number; state: StateTable[] }
  | { view: string; number: number; done: true }
  | { view: string; number: number; error: string }
  | { view: string | null; selected: number | null }
  /** The kernel has no such source (any more). */
  | { view: string; gone: true };
