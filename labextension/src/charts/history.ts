/** What a Store held at each of its writes, and what each execution changed in it. */

import { firstWhere } from './bisect';
import type { Write } from './journal';

/** Where locks and drains are kept: no keys of the Store (SPEC 5). */
export const LOCKS = '__lock__:';
export const DRAINS = '__drain__:';

const OF_A_TOOL = /^__tool__:[^:]+:/;

/** Whether a key is of a lock, the twist's or one of its tools'. */
export function isLock(key: string): boolean {
  return key.replace(OF_A_TOOL, '').startsWith(LOCKS);
}

/** Whether a key is one that a listing of the Store leaves out. */
export function isReserved(key: string): boolean {
  return isLock(key) || key.replace(OF_A_TOOL, '').startsWith(DRAINS);
}

/** Whether a key begins as those of tools do, and names none. */
export function isOfNoTool(key: string): boolean {
  return key.replace(OF_A_TOOL, '').startsWith('__tool__:');
}

/** Writes that follow each other and are of one attempt; each of those by hand is one of its own. */
export interface Step {
  by: number | null;
  /** Places in `StoreHistory.writes`. */
  first: number;
  last: number;
}

export type ChangeKind = 'added' | 'changed' | 'same' | 'cleared';

/** What one attempt did to one key. */
export interface Change {
  kind: ChangeKind;
  /** What was there before; null: nothing; undefined: it is not in the picture. */
  before: Write | null | undefined;
  after: Write;
}

/** A change in a shape and in a word, so that neither colour nor shape has to be known. */
export const MARKS: Record<ChangeKind, { shape: string; word: string }> = {
  added: { shape: '+', word: 'added' },
  changed: { shape: '~', word: 'changed' },
  same: { shape: '=', word: 'same value again' },
  cleared: { shape: '−', word: 'cleared' }
};

/** Whether a write left nothing. */
export function isClear(write: Write): boolean {
  return write.type === 'cleared';
}

/** The writes of one twist, in their order. */
export class StoreHistory {
  readonly writes: Write[] = [];
  readonly steps: Step[] = [];
  private readonly byKey = new Map<string, number[]>();
  /** The first and the last step of each attempt. */
  private readonly stepsOf = new Map<number, { first: number; last: number }>();

  add(write: Write): void {
    const place = this.writes.length;
    this.writes.push(write);
    const places = this.byKey.get(write.key);
    if (places) {
      places.push(place);
    } else {
      this.byKey.set(write.key, [place]);
    }
    const step = this.steps[this.steps.length - 1];
    if (step && write.by !== null && step.by === write.by) {
      step.last = place;
    } else {
      this.steps.push({ by: write.by, first: place, last: place });
    }
    if (write.by !== null) {
      const last = this.steps.length;
      this.stepsOf.set(write.by, { first: this.stepsOf.get(write.by)?.first ?? last, last });
    }
  }

  /** A write that is known came again: its text may have come with it. */
  replace(place: number, write: Write): void {
    this.writes[place] = write;
  }

  /** The last step of an attempt, counted from 1; 0 where it wrote nothing. */
  stepOf(attempt: number): number {
    return this.stepsOf.get(attempt)?.last ?? 0;
  }

  /** The last step that was there when an attempt ended: its own, or one of those before it. */
  stepAfter(attempt: number, ended: number | null): number {
    const own = this.stepOf(attempt);
    if (own > 0) {
      return own;
    }
    for (let step = this.steps.length; step > 0; step -= 1) {
      const last = this.writes[this.steps[step - 1]?.last ?? -1];
      if (last && (last.by === null ? ended === null || last.updated <= ended : last.by < attempt)) {
        return step;
      }
    }
    return 0;
  }

  /** The keys that were there after a step (0: before the first), each with its last write. */
  stateAt(step: number): Map<string, Write> {
    const end = this.end(step);
    const found = new Map<string, Write>();
    for (const [key, places] of this.byKey) {
      const write = this.writes[places[below(places, end) - 1] ?? -1];
      if (write && !isClear(write)) {
        found.set(key, write);
      }
    }
    return found;
  }

  /** What the attempt of a step had done to the Store when the step was over. */
  changesAt(step: number): Map<string, Change> {
    const at = this.steps[step - 1];
    const changes = new Map<string, Change>();
    if (!at) {
      return changes;
    }
    const end = this.end(step);
    const first = at.by === null ? step : (this.stepsOf.get(at.by)?.first ?? step);
    for (let place = this.steps[first - 1]?.first ?? end; place < end; place += 1) {
      const write = this.writes[place];
      if (!write || write.by !== at.by) {
        continue;
      }
      const known = changes.get(write.key);
      const before = known ? known.before : this.before(write, place);
      changes.set(write.key, { kind: kindOf(before, write), before, after: write });
    }
    return changes;
  }

  /** All writes of a key up to a step, the newest first. */
  versions(key: string, step: number): Write[] {
    const places = this.byKey.get(key) ?? [];
    return places
      .slice(0, below(places, this.end(step)))
      .reverse()
      .map(place => this.writes[place] as Write);
  }

  /** The step that a write belongs to, counted from 1. */
  stepWith(write: Write): number {
    const place = (this.byKey.get(write.key) ?? []).find(at => this.writes[at]?.id === write.id) ?? -1;
    return place < 0 ? 0 : firstWhere(this.steps, step => step.last >= place) + 1;
  }

  private end(step: number): number {
    return (this.steps[Math.min(step, this.steps.length) - 1]?.last ?? -1) + 1;
  }

  private before(write: Write, place: number): Write | null | undefined {
    const places = this.byKey.get(write.key) ?? [];
    const earlier = this.writes[places[below(places, place) - 1] ?? -1];
    if (earlier) {
      return isClear(earlier) ? null : earlier;
    }
    // Versions count on through clears, so a later one had something before it.
    return write.version > 1 || isClear(write) ? undefined : null;
  }
}

/** The writes of a picture, by twist. */
export class Histories {
  readonly of = new Map<string, StoreHistory>();
  private places: { history: StoreHistory; place: number }[] = [];
  private seen: Write[] = [];

  /** Take what came since the last time; true where there was something. */
  update(writes: readonly Write[]): boolean {
    if (this.seen.some((write, index) => writes[index]?.id !== write.id)) {
      this.of.clear();
      this.places = [];
      this.seen = [];
    }
    let changed = false;
    for (let index = 0; index < writes.length; index += 1) {
      const write = writes[index] as Write;
      if (this.seen[index] === write) {
        continue;
      }
      changed = true;
      const known = this.places[index];
      if (known) {
        known.history.replace(known.place, write);
      } else {
        const history = this.historyOf(write.twist);
        this.places.push({ history, place: history.writes.length });
        history.add(write);
      }
      this.seen[index] = write;
    }
    return changed;
  }

  private historyOf(twist: string): StoreHistory {
    const found = this.of.get(twist) ?? new StoreHistory();
    this.of.set(twist, found);
    return found;
  }
}

function kindOf(before: Write | null | undefined, after: Write): ChangeKind {
  if (isClear(after)) {
    return 'cleared';
  }
  if (before === null) {
    return 'added';
  }
  return before?.text != null && before.text === after.text ? 'same' : 'changed';
}

/** How many of ascending numbers lie below a limit. */
function below(numbers: readonly number[], limit: number): number {
  return firstWhere(numbers, number => number >= limit);
}
