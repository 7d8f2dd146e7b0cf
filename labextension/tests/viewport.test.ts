import { describe, expect, test } from 'vitest';

import { marks, moment, step, Viewport } from '../src/charts/viewport';

function of(end: number, pixels = 1000, growing = false): Viewport {
  const view = new Viewport();
  view.resize(pixels);
  view.cover(0, end, growing);
  return view;
}

describe('the viewport', () => {
  test('shows everything at first', () => {
    const view = of(5000);

    expect([view.from, view.to]).toEqual([0, 5000]);
    expect(view.x(2500)).toBe(500);
    expect(view.time(500)).toBe(2500);
  });

  test('zooms about the pixel below the pointer', () => {
    const view = of(5000);
    const moment = view.time(300);
    view.zoom(0.25, 300);

    expect(view.x(moment)).toBeCloseTo(300);
    expect(view.span).toBeCloseTo(1250);
    expect(view.fitted).toBe(false);
  });

  test('never goes beyond what there is', () => {
    const view = of(5000);
    view.zoom(0.5);
    view.pan(-100_000);
    expect(view.from).toBe(0);
    view.pan(100_000);
    expect(view.to).toBe(5000);
    view.zoom(100);
    expect([view.from, view.to, view.fitted]).toEqual([0, 5000, true]);
  });

  test('has a closest look', () => {
    const view = of(5000);
    for (let times = 0; times < 200; times += 1) view.zoom(0.5);

    expect(view.span).toBeGreaterThan(0.01);
    expect(view.time(view.x(view.from + view.span / 3))).toBeCloseTo(view.from + view.span / 3, 6);
  });

  test('leaves room ahead of a run, so that most of what comes moves nothing', () => {
    const view = of(1000, 1000, true);
    const before = view.x(500);
    view.cover(0, 1100, true);
    expect(view.x(500)).toBe(before);
    view.cover(0, 1200, true);
    expect(view.x(500)).toBeLessThan(before);
    expect(view.x(1200)).toBeLessThan(1000);
    view.cover(0, 1200, false);
    expect(view.to).toBe(1200);
  });

  test('goes along with the end if the end is what is looked at', () => {
    const view = of(1000);
    view.zoom(0.1, 1000);
    expect(view.following).toBe(true);
    view.cover(0, 3000, false);

    expect([view.from, view.to]).toEqual([2900, 3000]);
  });

  test('goes along with what is known, not with the room ahead of it', () => {
    const view = of(1000, 1000, true);
    view.zoom(0.1, view.x(1000));
    for (let end = 1000; end < 5000; end += 37) {
      view.cover(0, end, true);
      expect(view.x(end)).toBeGreaterThan(500);
      expect(view.x(end)).toBeLessThanOrEqual(1000);
    }
  });

  test('stays where it is while more comes', () => {
    const view = of(1000);
    view.zoom(0.1, 200);
    const before = [view.from, view.to];
    view.cover(0, 3000, false);

    expect([view.from, view.to]).toEqual(before);
    expect(view.following).toBe(false);
  });

  test('moves no more than it takes to show something', () => {
    const view = of(10_000);
    view.zoom(0.1, 0);
    view.show(200, 300);
    expect(view.from).toBe(0);
    view.show(5000, 5100);
    expect(view.from).toBeLessThan(5000);
    expect(view.to).toBeGreaterThan(5100);
    expect(view.span).toBeCloseTo(1000);
    view.show(1000, 9000);
    expect(view.from).toBeLessThanOrEqual(1000);
    expect(view.to).toBeGreaterThanOrEqual(9000);
  });
});

describe('the marks of the time', () => {
  test.each([
    [3, 1],
    [100, 20],
    [26_000, 5000],
    [90_000, 20_000],
    [7_200_000, 1_800_000],
    [40 * 86_400_000, 10 * 86_400_000]
  ])('are round, and 90 pixels apart or more: %i ms across 500 pixels', (span, size) => {
    expect(step(of(span, 500), 90)).toBe(size);
  });

  test('are parts of a millisecond in the closest look', () => {
    const view = of(1000, 500);
    view.zoom(0.001);

    expect(step(view, 90)).toBeCloseTo(0.2);
  });

  test('are those in view', () => {
    const view = of(10_000);
    view.zoom(0.1, 500);

    expect(marks(view, 200)).toEqual([4600, 4800, 5000, 5200, 5400]);
  });

  test.each([
    [0, 1, '0'],
    [250, 50, '250 ms'],
    [0.3, 0.1, '0.3 ms'],
    [2000, 1000, '2 s'],
    [12_500, 500, '12.5 s'],
    [12_340, 10, '12.34 s'],
    [60_000, 10_000, '1 min'],
    [90_000, 10_000, '1:30'],
    [61_250, 50, '1:01.25'],
    [3_600_000, 600_000, '1 h'],
    [5_400_000, 600_000, '1 h 30 min'],
    [5_405_000, 5000, '1:30:05'],
    [187_200_000, 14_400_000, '2 d 4 h']
  ])('%d ms at marks of %d ms is %s', (ms, size, label) => {
    expect(moment(ms, size)).toBe(label);
  });
});
