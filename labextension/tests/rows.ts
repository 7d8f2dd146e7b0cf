/** Rows as a kernel sends them, made of a few words an attempt. */

import { KINDS } from '../src/charts/wire';
import type { Kind, Rows, Words } from '../src/charts/wire';

export interface Made {
  id: number;
  execution?: number;
  attempt?: number;
  parent?: number | null;
  method?: string;
  cause?: string;
  outcome?: string;
  requests?: number;
  spent?: Partial<Record<Kind, number>>;
  cpu_ms?: number | null;
  wall_ms?: number | null;
  memory_peak?: number | null;
  queued?: number | null;
  started?: number;
  ended?: number | null;
  line?: number | null;
  error?: string;
}

export function words(texts: string[]): Words {
  const different = [...new Set(texts)];
  const places = new Map(different.map((text, place) => [text, place]));
  return { words: different, at: texts.map(text => places.get(text) ?? 0) };
}

/** Rows with these attempts; `more` takes the place of what is else empty. */
export function rowsOf(attempts: Made[], more: Partial<Rows> = {}): Rows {
  const spent: Rows['executions']['spent'] = {};
  for (const kind of KINDS) {
    if (attempts.some(made => made.spent?.[kind])) {
      spent[kind] = attempts.map(made => made.spent?.[kind] ?? 0);
    }
  }
  const sum = (made: Made): number => Object.values(made.spent ?? {}).reduce((all, number) => all + number, 0);
  const starts = attempts.map((made, place) => made.started ?? 100 * place);
  return {
    origin: Date.UTC(2026, 0, 1, 9),
    now: Math.max(0, ...starts) + 100,
    running: attempts.some(made => made.outcome === 'running'),
    paused: null,
    rate: null,
    limits: { requests: 1000, cpu: 60, memory: 128 * 2 ** 20, time: 900, chain: 2000 },
    value: null,
    executions: {
      id: attempts.map(made => made.id),
      execution: attempts.map(made => made.execution ?? made.id),
      attempt: attempts.map(made => made.attempt ?? 1),
      parent: attempts.map(made => made.parent ?? null),
      twist: words(attempts.map(() => 'CalendarSync')),
      version: attempts.map(() => 1),
      method: words(attempts.map(made => made.method ?? 'sync_page')),
      cause: words(attempts.map(made => made.cause ?? (made.parent ? 'task' : 'call'))),
      outcome: words(attempts.map(made => made.outcome ?? 'ok')),
      requests: attempts.map(made => made.requests ?? sum(made)),
      spent,
      cpu_ms: attempts.map(made => (made.cpu_ms === undefined ? 12 : made.cpu_ms)),
      wall_ms: attempts.map(made => (made.wall_ms === undefined ? 20 : made.wall_ms)),
      memory_peak: attempts.map(made => (made.memory_peak === undefined ? 38 * 2 ** 20 : made.memory_peak)),
      queued: attempts.map(made => made.queued ?? null),
      started: starts,
      ended: attempts.map((made, place) =>
        made.ended !== undefined ? made.ended : made.outcome === 'running' ? null : (starts[place] ?? 0) + 90
      ),
      line: attempts.map(made => made.line ?? null),
      error: words(attempts.map(made => made.error ?? ''))
    },
    scheduled: { execution: [], parent: [], method: words([]), key: words([]), due: [], every_ms: [], total: 0 },
    writes: {
      id: [],
      twist: words([]),
      key: words([]),
      version: [],
      type: words([]),
      bytes: [],
      updated: [],
      by: [],
      text: []
    },
    progress: null,
    details: [],
    sources: [],
    left_out: 0,
    writes_left_out: 0,
    from: null,
    to: null,
    ...more
  };
}

/** A long chain, each execution queued by the one before. */
export function chainOf(length: number, from = 1): Made[] {
  return Array.from({ length }, (_, place) => {
    const id = from + place;
    return {
      id,
      parent: id > 1 ? id - 1 : null,
      method: id > 1 ? 'step' : 'start',
      spent: { store: (id * 7) % 40, callbacks: 1, tasks: 1 },
      started: 45 * id,
      queued: 45 * id - 6,
      ended: 45 * id + 44
    };
  });
}
