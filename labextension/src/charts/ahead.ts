/** What is scheduled: drawn at its time if that is near, else listed behind a break in the time. */

import { word } from './columns';
import type { Journal } from './journal';
import { BAR, breadth, middle, rect, round } from './scene';
import type { Scene } from './scene';
import { line } from './text';
import { count, duration } from './units';
import type { Viewport } from './viewport';

/** How wide the list is, if there is room. */
const COLUMN = 240;
/** How far ahead is drawn at its time, as a share of the time before. */
const REACH = 0.6;

/** What is scheduled, split by where it is drawn. */
export interface Ahead {
  /** Rows of `scheduled` that are drawn at their time. */
  near: number[];
  /** Those that stand in a column of their own, as their time is far off. */
  far: number[];
  /** How many there are beyond all of these. */
  more: number;
  total: number;
  /** Up to when the picture has to go for those at their time. */
  end: number;
}

/** How wide the list is, of a picture's width. */
export function columnOf(ahead: Ahead, width: number): number {
  return ahead.far.length > 0 ? Math.min(COLUMN, Math.round(width * 0.4)) : 0;
}

/** Whether what is scheduled is drawn at its time or as a list. */
export function whatIsAhead(journal: Journal, begin: number, rows: number): Ahead {
  const { scheduled, now } = journal;
  const span = Math.max(now - begin, 1);
  const near: number[] = [];
  const far: number[] = [];
  scheduled.due.forEach((due, row) => (due - now <= span * REACH ? near : far).push(row));
  const waiting = near.filter(row => (scheduled.due[row] ?? 0) <= now);
  // The next link of a chain that runs would come and go with every update.
  const passing = journal.running && waiting.length === 1 ? waiting : [];
  const kept = near.filter(row => !passing.includes(row));
  const total = scheduled.total - passing.length;
  const shown =
    far.length > rows || scheduled.total > scheduled.due.length ? far.slice(0, Math.max(rows - 1, 1)) : far;
  const end = near.reduce((latest, row) => Math.max(latest, scheduled.due[row] ?? now), now);
  return { near: kept, far: shown, more: Math.max(0, total - kept.length - shown.length), total, end };
}

/** Put what is scheduled into a scene: hollow marks at their time, or a list at the right. */
export function addAhead(
  scene: Scene,
  journal: Journal,
  view: Viewport,
  ahead: Ahead,
  rows: number,
  width: number
): void {
  const { scheduled, now } = journal;
  const parts: string[] = [];
  const taken = namesIn(scene, rows, view.x(now));
  let left = ahead.more;
  const usable = ahead.near.length + (ahead.far.length > 0 ? 0 : left) > rows ? rows - 1 : rows;
  const put = (text: string, x: number, lane: number, kind: 'ahead' | 'more'): void => {
    scene.labels.push({ text, x: round(x), y: middle(lane) + 3.5, kind });
  };
  for (const row of ahead.near) {
    const x = view.x(Math.max(scheduled.due[row] ?? now, now));
    if (x < -20 || x > view.width) {
      continue;
    }
    const lane = [...Array(usable).keys()].find(at => (taken[at] as number) <= x);
    if (lane === undefined) {
      left += 1;
      continue;
    }
    parts.push(pill(x, lane, 10));
    const [full, short] = namesOf(journal, row);
    const [when, every] = until(journal, row);
    const texts = [`${full} ${when}${every}`, `${full} ${when}`, `${short} ${when}`, short, when];
    const text = texts.find(words => x + 16 + breadth(words) <= view.width + 6);
    if (text !== undefined) {
      put(text, x + 15, lane, 'ahead');
    }
    taken[lane] = x + 24 + breadth(text ?? '');
  }
  const column = view.width + 22;
  ahead.far.forEach((row, lane) => {
    parts.push(pill(column, lane, 10));
    const [when] = until(journal, row);
    put(cut(`${when}  ${namesOf(journal, row)[1]}`, width - 42), column + 16, lane, 'ahead');
  });
  if (left > 0) {
    const lane = ahead.far.length > 0 ? ahead.far.length : Math.max(0, rows - 1);
    put(`+${count(left)} more scheduled`, ahead.far.length > 0 ? column + 16 : view.x(now) + 8, lane, 'more');
  }
  scene.ahead = parts.join('');
}

/** Up to where each lane is taken: by what has been, and by the name that stands behind its last bar. */
function namesIn(scene: Scene, rows: number, now: number): number[] {
  const taken = Array<number>(rows).fill(now);
  for (const { text, x, y } of scene.labels) {
    const lane = taken.findIndex((_, at) => Math.abs(y - middle(at)) < BAR / 2);
    if (lane >= 0) {
      taken[lane] = Math.max(taken[lane] as number, x + breadth(text) + 6);
    }
  }
  return taken;
}

/** How a scheduled task is called: in full, and by its key alone, which is the name its author gave it. */
function namesOf(journal: Journal, row: number): [full: string, short: string] {
  const method = line(word(journal.scheduled.method, row), 40);
  const key = line(word(journal.scheduled.key, row), 40);
  return key === '' || key === method ? [method, method] : [`${method} “${key}”`, key];
}

/** When it is due, as seen from now, and how often. */
export function until(journal: Journal, row: number): [when: string, every: string] {
  const left = (journal.scheduled.due[row] ?? 0) - journal.now;
  const every = journal.scheduled.every_ms[row] ?? null;
  return [left <= 0 ? 'waits' : `in ${duration(left)}`, every === null ? '' : `, every ${duration(every)}`];
}

function cut(text: string, width: number): string {
  if (breadth(text) <= width) {
    return text;
  }
  const kept = [...text];
  while (kept.length > 0 && breadth(kept.join('')) > width - 10) {
    kept.pop();
  }
  return `${kept.join('')}…`;
}

function pill(x: number, lane: number, width: number): string {
  return rect(x, middle(lane) - BAR / 2 + 1.5, width, BAR - 3);
}
