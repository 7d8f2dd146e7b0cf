/**
 * In which lane each attempt lies: one below what set it off, so that a chain reads as a staircase.
 *
 * A lane holds attempts that do not overlap, by their start. What was placed is never moved, so a picture
 * that grows keeps its shape; and every question about a lane is answered by bisection, so it may be long.
 */

import { firstWhere } from './bisect';

/** Lanes through which a staircase goes before it starts again at the top. */
export const CYCLE = 10;

/** An attempt as its lane sees it. */
export interface Stay {
  /** What it is known by: its place in the journal. */
  item: number;
  /** From when it waited; its start where it did not. */
  since: number;
  started: number;
  /** Infinite while it runs. */
  ended: number;
  failed: boolean;
}

/** Several attempts that lie too close together to be drawn one by one. */
export interface Heap {
  first: number;
  /** The place in the lane behind the last. */
  last: number;
  from: number;
  to: number;
  failed: number;
  /** The part of its time in which something ran. */
  busy: number;
}

/** Attempts one after another. */
export class Lane {
  readonly items: number[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  private readonly failures: number[] = [0];
  private readonly times: number[] = [0];
  private readonly bad: boolean[] = [];

  get length(): number {
    return this.items.length;
  }

  /** The first place of which the end is after a time. */
  after(time: number): number {
    return firstWhere(this.ends, end => end > time);
  }

  /** The first place of which the start is at a time or after it. */
  from(time: number): number {
    return firstWhere(this.starts, start => start >= time);
  }

  /** Whether there is room for an attempt; what takes no time still takes its place. */
  free(since: number, started: number, ended: number): boolean {
    const next = this.from(since);
    const before = this.ends[next - 1];
    const after = this.starts[next];
    return (
      (before === undefined || before <= since) &&
      (after === undefined || (after >= ended && after > started))
    );
  }

  /** When the attempt before a place ended: as far back as a line can go. */
  endBefore(place: number): number {
    return this.ends[place - 1] ?? -Infinity;
  }

  /** The attempt at a time, or up to some time beside it; -1 where there is none. */
  nearest(time: number, slack: number, now: number): number {
    const place = this.after(time);
    const best = this.gap(place - 1, time, now) < this.gap(place, time, now) ? place - 1 : place;
    return this.gap(best, time, now) <= slack ? best : -1;
  }

  add(stay: Stay): void {
    const place = this.from(stay.started);
    this.items.splice(place, 0, stay.item);
    this.starts.splice(place, 0, stay.started);
    this.ends.splice(place, 0, stay.ended);
    this.bad.splice(place, 0, stay.failed);
    this.recount(place);
  }

  /** Take over how an attempt ended; nothing else of it changes. */
  update(stay: Stay): void {
    const place = this.from(stay.started);
    if (this.items[place] !== stay.item) {
      return;
    }
    this.ends[place] = Math.max(stay.started, Math.min(stay.ended, this.starts[place + 1] ?? Infinity));
    this.bad[place] = stay.failed;
    this.recount(place);
  }

  /** How many of the attempts from a place up to another failed. */
  failed(first: number, last: number): number {
    return (this.failures[last] ?? 0) - (this.failures[first] ?? 0);
  }

  /** How long something ran, from a place up to another; what still runs is not in it. */
  busy(first: number, last: number): number {
    return (this.times[last] ?? 0) - (this.times[first] ?? 0);
  }

  /**
   * The attempts of which a part lies between two times: one by one where they have room, else in heaps.
   *
   * @param least - Up to which length of time an attempt has no room of its own.
   * @param cell - The length of a heap. Heaps begin at its multiples, so they stay when time goes on.
   */
  walk(
    from: number,
    to: number,
    least: number,
    cell: number,
    one: (place: number) => void,
    many: (heap: Heap) => void
  ): void {
    let place = this.after(from);
    // What took no time ends where it begins.
    while (place > 0 && (this.ends[place - 1] as number) >= from) {
      place -= 1;
    }
    while (place < this.length && (this.starts[place] as number) <= to) {
      const start = this.starts[place] as number;
      if ((this.ends[place] as number) - start >= least) {
        one(place);
        place += 1;
        continue;
      }
      const edge = (Math.floor(start / cell) + 1) * cell;
      let last = Math.max(place + 1, this.from(edge));
      // Only the last of them can reach out of the cell; if it is long, it is drawn by itself.
      if (last - 1 > place && (this.ends[last - 1] as number) - (this.starts[last - 1] as number) >= least) {
        last -= 1;
      }
      if (last - place === 1) {
        one(place);
      } else {
        many(this.heap(place, last));
      }
      place = last;
    }
  }

  private gap(place: number, time: number, now: number): number {
    const start = this.starts[place];
    const end = this.ends[place];
    if (start === undefined || end === undefined) {
      return Infinity;
    }
    return Math.max(start - time, time - (end === Infinity ? Math.max(now, start) : end), 0);
  }

  private heap(first: number, last: number): Heap {
    const from = this.starts[first] as number;
    const to = this.ends[last - 1] as number;
    const running = to === Infinity;
    return {
      first,
      last,
      from,
      to: running ? (this.starts[last - 1] as number) : to,
      failed: this.failed(first, last),
      busy: running ? 1 : to > from ? this.busy(first, last) / (to - from) : 1
    };
  }

  private recount(place: number): void {
    for (let at = place; at < this.length; at += 1) {
      const end = this.ends[at] as number;
      this.failures[at + 1] = (this.failures[at] as number) + (this.bad[at] ? 1 : 0);
      this.times[at + 1] =
        (this.times[at] as number) + (end === Infinity ? 0 : end - (this.starts[at] as number));
    }
  }
}

/** What an attempt has to do with those before it. */
export interface Ties {
  /** The attempt that queued it, or -1. */
  parent: number;
  /** The first attempt at the same execution, or -1. */
  first: number;
  /** Whether it is the same work again, at its time: it stays on its parent's level. */
  again: boolean;
}

/** The lanes of a picture. */
export class Lanes {
  readonly all: Lane[] = [];
  private readonly at: number[] = [];

  constructor(private readonly cycle: number = CYCLE) {}

  /** The lane of an attempt, or -1. */
  of(item: number): number {
    return this.at[item] ?? -1;
  }

  /** Give an attempt its lane, or take over how it ended. */
  put(stay: Stay, ties: Ties): number {
    const known = this.at[stay.item];
    if (known !== undefined) {
      this.all[known]?.update(stay);
      return known;
    }
    const lane = this.choose(stay, ties);
    while (this.all.length <= lane) {
      this.all.push(new Lane());
    }
    this.all[lane]?.add(stay);
    this.at[stay.item] = lane;
    return lane;
  }

  private choose(stay: Stay, ties: Ties): number {
    const first = this.at[ties.first];
    if (first !== undefined && this.free(first, stay.started, stay)) {
      return first;
    }
    const parent = this.at[ties.parent];
    if (ties.again && parent !== undefined && this.free(parent, stay.started, stay)) {
      return parent;
    }
    const below = parent === undefined ? 0 : (parent + 1) % this.cycle;
    // A wait is not worth a lane of its own: with hundreds of tasks in the queue, most of it is not drawn.
    for (const since of stay.since < stay.started ? [stay.since, stay.started] : [stay.started]) {
      for (let step = 0; step < this.cycle; step += 1) {
        const lane = (below + step) % this.cycle;
        if (this.free(lane, since, stay)) {
          return lane;
        }
      }
    }
    let lane = this.cycle;
    while (!this.free(lane, stay.started, stay)) {
      lane += 1;
    }
    return lane;
  }

  private free(lane: number, since: number, stay: Stay): boolean {
    return this.all[lane]?.free(since, stay.started, stay.ended) ?? true;
  }
}
