/** An execution's requests and logs in the order in which they were made, and which of them are shown. */

import { word } from './columns';
import { isLoud } from './levels';
import { kindOf, operationName } from './lines';
import { block, line as safeLine } from './text';
import type { Detail, Kind, LogRows } from './wire';
import { KINDS } from './wire';

export interface RequestEntry {
  type: 'request';
  seq: number;
  kind: Kind;
  /** `store.set` */
  name: string;
  detail: string;
  line: number | null;
  /** Milliseconds since the attempt began, as all times here. */
  from: number;
  /** Null where no answer came. */
  took: number | null;
  bytesIn: number | null;
  bytesOut: number | null;
  cpu: number | null;
  error: string;
  /** Whether it was one too many, and was not performed. */
  refused: boolean;
}

export interface LogEntry {
  type: 'log';
  level: string;
  line: number | null;
  from: number;
  text: string;
  /** CPU at the request before it. */
  cpu: number | null;
}

/** Where requests are missing. */
export interface GapEntry {
  type: 'gap';
  missing: number;
}

export type Entry = RequestEntry | LogEntry | GapEntry;

export interface Feed {
  entries: Entry[];
  /** Requests that are there; the refused one is none of them. */
  performed: number;
  /** Requests that were made and are not there. */
  missing: number;
  /** Logs that are not there. */
  logsMissing: number;
  /** Where the last of it ends. */
  end: number;
  /** CPU at the last request. */
  cpu: number;
}

/** What can be asked for: a kind of request, logs, or what went wrong. */
export type Wanted = Kind | 'logs' | 'problems';

export interface Filter {
  /** Only this line; undefined: all. */
  line: number | null | undefined;
  /** Empty: all. */
  wanted: ReadonlySet<Wanted>;
  /** Part of an operation, key, URL, error or log. */
  text: string;
}

export const NO_FILTER: Filter = { line: undefined, wanted: new Set(), text: '' };

const DETAIL_LIMIT = 2100;
const LOG_LIMIT = 4000;

/**
 * Requests by their number, and each log behind those that had been made before it.
 *
 * @param started When the attempt began.
 * @param made How many requests it has made.
 * @param limit How many it may make.
 */
export function feedOf(detail: Detail, started: number, made: number, limit: number): Feed {
  const { requests: rows, logs } = detail;
  const requests = rows.seq.map((seq, index): RequestEntry => {
    const tool = word(rows.tool, index);
    return {
      type: 'request',
      seq,
      kind: kindOf(tool),
      name: operationName(tool, word(rows.operation, index)),
      detail: block(rows.detail[index], DETAIL_LIMIT),
      line: rows.line[index] ?? null,
      from: (rows.started[index] ?? started) - started,
      took: rows.duration_ms[index] ?? null,
      bytesIn: rows.bytes_in[index] ?? null,
      bytesOut: rows.bytes_out[index] ?? null,
      cpu: rows.cpu_ms[index] ?? null,
      error: block(word(rows.error, index), LOG_LIMIT),
      refused: seq > limit
    };
  });
  requests.sort((a, b) => a.seq - b.seq);
  const said = logEntries(logs, started).sort((a, b) => a.seq - b.seq);
  const entries: Entry[] = [];
  let next = 0;
  let cpu: number | null = null;
  let seen = 0;
  let missing = 0;
  const upTo = (seq: number): void => {
    for (let log = said[next]; log && log.seq <= seq; log = said[++next]) {
      entries.push({ ...log.entry, cpu });
    }
  };
  const skip = (seq: number): void => {
    // Logs among missing requests stand where these would be.
    const gap = seq - 1 - seen;
    if (gap > 0) {
      entries.push({ type: 'gap', missing: gap });
      missing += gap;
    }
  };
  upTo(0);
  for (const request of requests) {
    skip(request.seq);
    upTo(request.seq - 1);
    entries.push(request);
    seen = request.seq;
    cpu = request.cpu ?? cpu;
    upTo(request.seq);
  }
  skip(Math.min(made, limit) + 1);
  upTo(Infinity);
  return {
    entries,
    performed: requests.filter(request => !request.refused).length,
    missing,
    logsMissing: detail.logs_left_out,
    end: entries.reduce((end, entry) => Math.max(end, endOf(entry)), 0),
    cpu: requests.reduce((most, request) => Math.max(most, request.cpu ?? 0), 0)
  };
}

/** Logs with the number of requests before each. */
export function logEntries(logs: LogRows, started: number): { seq: number; entry: LogEntry }[] {
  return logs.text.map((text, index) => ({
    seq: logs.seq[index] ?? 0,
    entry: {
      type: 'log',
      level: safeLine(word(logs.level, index), 12),
      line: (logs.line[index] ?? 0) > 0 ? (logs.line[index] ?? null) : null,
      from: (logs.time[index] ?? started) - started,
      text: block(text, LOG_LIMIT).replace(/\n+$/, ''),
      cpu: null
    }
  }));
}

/** When it was over; for what has no end when it began. */
export function endOf(entry: Entry): number {
  return entry.type === 'gap' ? 0 : entry.from + (entry.type === 'request' ? (entry.took ?? 0) : 0);
}

/** The entries to show; where nothing is asked for, all. */
export function filtered(entries: readonly Entry[], filter: Filter): Entry[] {
  const text = filter.text.trim().toLowerCase();
  if (filter.line === undefined && filter.wanted.size === 0 && text === '') {
    return [...entries];
  }
  return entries.filter(
    entry =>
      entry.type !== 'gap' &&
      (filter.line === undefined || entry.line === filter.line) &&
      (filter.wanted.size === 0 || wants(filter.wanted, entry)) &&
      (text === '' || textOf(entry).toLowerCase().includes(text))
  );
}

/** How many there are of each thing that can be asked for. */
export function tallyOf(feed: Feed): Map<Wanted, number> {
  const found = new Map<Wanted, number>();
  for (const wanted of [...KINDS, 'logs', 'problems'] as const) {
    const number = feed.entries.filter(
      entry => entry.type !== 'gap' && wants(new Set([wanted]), entry)
    ).length;
    if (number > 0) {
      found.set(wanted, number);
    }
  }
  return found;
}

/** The span of time of entries in view. */
export function windowOf(entries: readonly Entry[], first: number, last: number): [number, number] {
  let from = Infinity;
  let to = -Infinity;
  for (let index = first; index <= last; index++) {
    const entry = entries[index];
    if (entry && entry.type !== 'gap') {
      from = Math.min(from, entry.from);
      to = Math.max(to, endOf(entry));
    }
  }
  return from <= to ? [from, Math.max(to, from + 1)] : [0, 1];
}

function wants(wanted: ReadonlySet<Wanted>, entry: RequestEntry | LogEntry): boolean {
  if (entry.type === 'log') {
    return wanted.has('logs') || (wanted.has('problems') && isLoud(entry.level));
  }
  return wanted.has(entry.kind) || (wanted.has('problems') && (entry.error !== '' || entry.refused));
}

function textOf(entry: RequestEntry | LogEntry): string {
  return entry.type === 'log'
    ? `${entry.level} ${entry.text}`
    : `${entry.name} ${entry.detail} ${entry.error}`;
}
