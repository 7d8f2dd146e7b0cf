/** Rows of progress as they come, piece by piece. */

import type { ProgressRows } from './wire';

const COLUMNS = ['id', 'by', 'updated', 'items', 'total', 'rate', 'requests_per_item', 'left_ms'] as const;

/** The rows that are known, with new ones behind them and those with a known id in their place. */
export function joinProgress(known: ProgressRows | null, rows: ProgressRows | null): ProgressRows | null {
  if (known === null || rows === null || known.key !== rows.key || known.field !== rows.field) {
    return rows ?? known;
  }
  const joined: ProgressRows = { ...rows, expected: rows.expected ?? known.expected };
  for (const name of COLUMNS) {
    // A copy: what came belongs to the document that it came in.
    (joined[name] as (number | null)[]) = [...known[name]];
  }
  rows.id.forEach((id, row) => {
    const last = joined.id[joined.id.length - 1] ?? -1;
    const place = id > last ? -1 : joined.id.lastIndexOf(id);
    const at = place < 0 ? joined.id.length : place;
    for (const name of COLUMNS) {
      (joined[name] as (number | null)[])[at] = rows[name][row] ?? null;
    }
  });
  return joined;
}
