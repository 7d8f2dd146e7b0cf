import { describe, expect, test } from 'vitest';

import { CYCLE, Lane, Lanes } from '../src/charts/lanes';
import type { Stay } from '../src/charts/lanes';

function stay(item: number, started: number, ended: number, more: Partial<Stay> = {}): Stay {
  return { item, since: started, started, ended, failed: false, ...more };
}

const ALONE = { parent: -1, first: -1, again: false };

/** Numbers that look random and are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Attempts as a runtime makes them: `width` at a time, each with a parent among those before. */
function history(seed: number, width: number, length: number): { stay: Stay; parent: number }[] {
  const random = seeded(seed);
  const free: number[] = Array.from({ length: width }, () => 0);
  const made: { stay: Stay; parent: number }[] = [];
  let now = 0;
  for (let item = 0; item < length; item += 1) {
    const worker = free.indexOf(Math.min(...free));
    now = Math.max(now, free[worker] as number) + (random() < 0.2 ? random() * 50 : 0);
    const ended = now + (random() < 0.1 ? 0 : random() * 100);
    const parent = item === 0 || random() < 0.05 ? -1 : Math.floor(random() * item);
    const since =
      parent < 0 ? now : Math.min(now, (made[parent] as { stay: Stay }).stay.started + random() * 20);
    made.push({ stay: { item, since, started: now, ended, failed: random() < 0.05 }, parent });
    free[worker] = ended;
  }
  return made;
}

/** What takes no time is there while it begins. */
function mostAtOnce(made: Stay[]): number {
  return Math.max(
    ...made.map(
      ({ started }) =>
        made.filter(each => each.started === started || (each.started < started && each.ended > started))
          .length
    )
  );
}

describe('lanes', () => {
  test('a serial chain is a staircase that begins again at the top', () => {
    const lanes = new Lanes();
    const chosen = Array.from({ length: 2 * CYCLE }, (_, item) =>
      lanes.put(stay(item, item * 10, item * 10 + 10), { ...ALONE, parent: item - 1 })
    );

    expect(chosen).toEqual([...Array(CYCLE).keys(), ...Array(CYCLE).keys()]);
  });

  test('calls one after another lie in the first lane', () => {
    const lanes = new Lanes();

    expect([0, 1, 2].map(item => lanes.put(stay(item, item * 10, item * 10 + 10), ALONE))).toEqual([0, 0, 0]);
  });

  test('an attempt at the same execution stays in the lane of the first, if that is free', () => {
    const lanes = new Lanes();
    lanes.put(stay(0, 0, 10), ALONE);
    lanes.put(stay(1, 10, 20), { ...ALONE, parent: 0 });
    lanes.put(stay(2, 1020, 1030), { parent: 0, first: 1, again: false });
    lanes.put(stay(3, 1025, 1040), { parent: 0, first: 1, again: false });

    expect([1, 2].map(item => lanes.of(item))).toEqual([1, 1]);
    expect(lanes.of(3)).not.toBe(1);
  });

  test('work that comes again at its time stays on its level', () => {
    const lanes = new Lanes();
    lanes.put(stay(0, 0, 10), ALONE);
    lanes.put(stay(1, 3600, 3610), { parent: 0, first: -1, again: true });

    expect(lanes.of(1)).toBe(0);
  });

  test('what waits keeps its lane free while there are lanes', () => {
    const lanes = new Lanes(3);
    lanes.put(stay(0, 0, 10), ALONE);
    lanes.put(stay(1, 10, 20, { since: 5 }), { ...ALONE, parent: 0 });
    lanes.put(stay(2, 20, 30, { since: 5 }), { ...ALONE, parent: 0 });
    lanes.put(stay(3, 30, 40, { since: 5 }), { ...ALONE, parent: 0 });

    expect([1, 2, 3].map(item => lanes.of(item))).toEqual([1, 2, 1]);
  });

  test('there are as many lanes as run at once, and no more than the staircase if fewer do', () => {
    const lanes = new Lanes(4);
    for (let item = 0; item < 7; item += 1) lanes.put(stay(item, 0, Infinity), ALONE);
    for (let item = 0; item < 7; item += 1) lanes.put(stay(item, 0, 5), ALONE);
    for (let item = 7; item < 200; item += 1)
      lanes.put(stay(item, item, item + 1, { since: 5 }), { ...ALONE, parent: 6 });

    expect(lanes.all.length).toBe(7);
    expect(lanes.all.slice(4).map(lane => lane.length)).toEqual([1, 1, 1]);
  });

  test.each([
    [1, 1],
    [2, 3],
    [3, 8],
    [4, 25]
  ])('attempts never overlap, and each is in its lane (seed %i, %i at once)', (seed, width) => {
    const lanes = new Lanes();
    const made = history(seed, width, 2000);
    const chosen = made.map(({ stay, parent }) => lanes.put(stay, { ...ALONE, parent }));

    for (const [number, lane] of lanes.all.entries()) {
      for (let place = 1; place < lane.length; place += 1) {
        expect(lane.starts[place]).toBeGreaterThan(lane.starts[place - 1] as number);
        expect(lane.starts[place]).toBeGreaterThanOrEqual(lane.ends[place - 1] as number);
      }
      for (const [place, item] of lane.items.entries()) {
        expect(chosen[item]).toBe(number);
        expect(lane.from((made[item] as { stay: Stay }).stay.started)).toBe(place);
        expect(lanes.of(item)).toBe(number);
      }
    }
    expect(lanes.all.reduce((sum, lane) => sum + lane.length, 0)).toBe(2000);
    expect(lanes.all.length).toBeLessThanOrEqual(Math.max(CYCLE, mostAtOnce(made.map(({ stay }) => stay))));
  });

  test('an attempt that ends later is where it was when it began', () => {
    const made = history(5, 6, 500);
    const once = new Lanes();
    const twice = new Lanes();
    const again: number[] = [];
    for (const { stay, parent } of made) {
      once.put({ ...stay, ended: Infinity }, { ...ALONE, parent });
      again.push(once.put(stay, { ...ALONE, parent }));
      twice.put(stay, { ...ALONE, parent });
    }

    expect(again).toEqual(made.map(({ stay }) => once.of(stay.item)));
    expect(again).toEqual(made.map(({ stay }) => twice.of(stay.item)));
  });

  test('rows that come out of order are placed without overlap', () => {
    const lanes = new Lanes();
    const made = history(6, 3, 300).reverse();
    for (const { stay } of made) lanes.put(stay, ALONE);

    for (const lane of lanes.all) {
      for (let place = 1; place < lane.length; place += 1) {
        expect(lane.starts[place]).toBeGreaterThanOrEqual(lane.ends[place - 1] as number);
      }
    }
  });
});

describe('a lane', () => {
  function filled(made: Stay[]): Lane {
    const lane = new Lane();
    made.forEach(each => lane.add(each));
    return lane;
  }

  /** What is drawn between two times: [items, failed] of each part. */
  function parts(lane: Lane, from: number, to: number, least: number, cell: number): [number, number][] {
    const found: [number, number][] = [];
    lane.walk(
      from,
      to,
      least,
      cell,
      place => found.push([1, lane.failed(place, place + 1)]),
      heap => found.push([heap.last - heap.first, heap.failed])
    );
    return found;
  }

  test('what has room is drawn by itself, and what has not in heaps', () => {
    const lane = filled([
      stay(0, 0, 50),
      stay(1, 50, 51),
      stay(2, 52, 53, { failed: true }),
      stay(3, 53, 54),
      stay(4, 70, 71)
    ]);

    expect(parts(lane, 0, 100, 2, 10)).toEqual([
      [1, 0],
      [3, 1],
      [1, 0]
    ]);
  });

  test.each([7, 8, 9])('a heap loses none, nor a failure (seed %i)', seed => {
    const made = history(seed, 1, 3000).map(({ stay }) => stay);
    const lane = filled(made);
    const end = Math.max(...made.map(each => each.ended));
    for (const pixels of [50, 400, 1000]) {
      const found = parts(lane, 0, end, (2 * end) / pixels, (3 * end) / pixels);

      expect(found.reduce((sum, [number]) => sum + number, 0)).toBe(3000);
      expect(found.reduce((sum, [, failed]) => sum + failed, 0)).toBe(
        made.filter(each => each.failed).length
      );
      expect(found.length).toBeLessThanOrEqual(pixels);
    }
  });

  test('only what is in view is looked at', () => {
    const lane = filled([
      stay(0, 0, 10),
      stay(1, 10, 20),
      stay(2, 20, 20),
      stay(3, 21, 30),
      stay(4, 40, Infinity)
    ]);

    expect(parts(lane, 10.5, 20, 0, 1)).toHaveLength(2);
    expect(parts(lane, 30.5, 39, 0, 1)).toHaveLength(0);
    expect(parts(lane, 1000, 1001, 0, 1)).toHaveLength(1);
  });

  test('what is nearest to a time is found, if it is near', () => {
    const lane = filled([stay(0, 0, 10), stay(1, 20, 30), stay(2, 40, Infinity)]);

    expect([5, 12, 18, 25, 35, 60].map(time => lane.nearest(time, 3, 50))).toEqual([0, 0, 1, 1, -1, -1]);
    expect(lane.nearest(49, 3, 50)).toBe(2);
  });

  test('a failure that is heard of later is counted', () => {
    const lane = filled([stay(0, 0, 1), stay(1, 1, Infinity)]);
    lane.update(stay(1, 1, 3, { failed: true }));

    expect(lane.failed(0, 2)).toBe(1);
    expect(lane.busy(0, 2)).toBe(3);
    expect(lane.ends).toEqual([1, 3]);
  });
});
