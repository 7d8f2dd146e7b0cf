/** Where the attempts of a journal lie, and what there is to see of them; kept up as rows come. */

import { whatIsAhead } from './ahead';
import type { Ahead } from './ahead';
import type { Journal } from './journal';
import { waitedSince } from './kin';
import { Lanes } from './lanes';

const LEAST_ROWS = 3;
/** Rows of the list of what is far ahead, where there are fewer lanes. */
const LIST = 6;
/** For the name of the last of what is ahead, as a share of all. */
const ROOM = 0.25;

export class Layout {
  lanes = new Lanes();
  /** The attempts that failed, by arrival. */
  readonly failures: number[] = [];
  ahead: Ahead = { near: [], far: [], more: 0, total: 0, end: 0 };
  begin = 0;
  end = 1;
  rows = LEAST_ROWS;
  private readonly failed = new Set<number>();
  private seen = -1;
  private placed = 0;
  private last = 0;
  private generation = 0;

  /** Give what is new its lane, and take over how others ended. */
  take(journal: Journal): void {
    if (journal.version === this.seen) {
      return;
    }
    if (journal.generation !== this.generation) {
      this.forget(journal.generation);
    }
    for (let index = 0; index < journal.length; index += 1) {
      if (index >= this.placed || journal.changedAt(index) > this.seen) {
        this.place(journal, index);
      }
    }
    this.placed = journal.length;
    this.seen = journal.version;
    this.measure(journal);
  }

  /** A sample of attempts has made room for all of them, which lie elsewhere. */
  private forget(generation: number): void {
    this.generation = generation;
    this.lanes = new Lanes();
    this.failures.length = 0;
    this.failed.clear();
    this.placed = 0;
    this.last = 0;
    this.seen = -1;
  }

  private place(journal: Journal, index: number): void {
    const started = journal.startedAt(index);
    const previous = journal.previousOf(index);
    const since = waitedSince(journal, index);
    const ended = journal.endedAt(index);
    const failed = journal.failedAt(index);
    const stay = {
      item: index,
      since: Math.min(since ?? started, started),
      started,
      ended: ended === null ? Infinity : Math.max(ended, started),
      failed
    };
    const again = this.lanes.of(index) < 0 && journal.attempt(index).cause === 'schedule';
    this.lanes.put(stay, { parent: journal.causeOf(index), first: previous, again });
    this.last = Math.max(this.last, ended ?? started);
    if (failed && !this.failed.has(index)) {
      this.failed.add(index);
      this.failures.push(index);
    }
  }

  private measure(journal: Journal): void {
    const { now, scheduled } = journal;
    const lanes = this.lanes.all.length;
    this.begin = this.beginning(journal);
    this.ahead = whatIsAhead(journal, this.begin, Math.max(lanes, LIST));
    const { near, far, more } = this.ahead;
    const list = far.length > 0 ? far.length + (more > 0 ? 1 : 0) : 0;
    this.rows = Math.max(lanes, list, Math.min(near.length, LEAST_ROWS + 1), LEAST_ROWS);
    const ended = Math.max(this.last, this.begin);
    // A notebook that was left alone for a day is not a day of nothing to look at.
    const close = now - ended <= Math.max(ended - this.begin, 1);
    this.end =
      journal.running || close || (scheduled.total > 0 && near.length > 0) ? Math.max(ended, now) : ended;
    // While it runs there is room ahead anyway.
    if (near.length > 0 && (!journal.running || this.ahead.end > now)) {
      this.end = Math.max(this.end, this.ahead.end + (this.ahead.end - this.begin) * ROOM);
    }
  }

  /** The picture's own beginning, unless nothing happened for long after it. */
  private beginning(journal: Journal): number {
    const first = journal.length > 0 ? journal.startedAt(0) : journal.now;
    return first > Math.max(this.last, journal.now) - first ? first : Math.min(first, 0);
  }
}
