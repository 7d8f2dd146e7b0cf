/** The running total of a sync over the runtime's time, as a line. */

import { svgElement } from './dom';
import { KIND_COLOURS, LINE, QUIET } from './filesvg';
import { LinearScale, niceTicks } from './scale';
import { count, general, tick, ticks } from './units';
import type { ProgressRows } from './wire';

/** Where the line goes; pixels from the top left. */
export interface Points {
  width: number;
  x: number[];
  total: number[];
  /** The latest moment that is drawn, and the largest number. */
  span: number;
  top: number;
  expected: number | null;
  /** Where it would be done at this rate, in milliseconds; null where nobody knows. */
  done: number | null;
  selected: number;
}

const LEFT = 48;
const RIGHT = 12;
const UPPER = 10;
const LOWER = 20;
const MOST_DOTS = 60;

/** Lay out the rows over a width. */
export function pointsOf(
  rows: ProgressRows,
  at: { width: number; now: number; running: boolean; selected: number }
): Points {
  const last = rows.total.length - 1;
  const left = rows.left_ms[last] ?? null;
  const end = Math.max(1, rows.updated[last] ?? 0, at.running ? at.now : 0);
  const done =
    at.running && left !== null && rows.expected !== null ? (rows.updated[last] ?? 0) + left : null;
  // Far ahead of it all, what has been done so far would be a dot.
  const span = done !== null && done < 4 * end ? Math.max(end, done) : end;
  const scale = new LinearScale([0, span], [LEFT, at.width - RIGHT]);
  return {
    width: at.width,
    x: rows.updated.map(time => scale.at(time)),
    total: rows.total,
    span,
    top: Math.max(
      1,
      rows.expected ?? 0,
      rows.total.reduce((most, total) => Math.max(most, total), 0)
    ),
    expected: rows.expected,
    done,
    selected: at.selected
  };
}

/** The row whose point is nearest to a place; -1 where there is none. */
export function nearest(points: Points, x: number): number {
  let found = -1;
  points.x.forEach((at, index) => {
    if (found < 0 || Math.abs(at - x) <= Math.abs((points.x[found] ?? 0) - x)) {
      found = index;
    }
  });
  return found;
}

/** Points of a line, with no more of them in a column of pixels than it takes to look the same. */
export function thinned(x: readonly number[], y: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  let column = NaN;
  let held: [number, number][] = [];
  const flush = (): void => {
    const [first] = held;
    const last = held[held.length - 1];
    if (first && last) {
      const ys = held.map(point => point[1]);
      const lowest = held[ys.indexOf(Math.min(...ys))] ?? first;
      const highest = held[ys.indexOf(Math.max(...ys))] ?? first;
      found.push(
        ...new Set([
          first,
          ...[lowest, highest].sort((one, other) => held.indexOf(one) - held.indexOf(other)),
          last
        ])
      );
    }
    held = [];
  };
  x.forEach((at, index) => {
    if (Math.floor(at) !== column) {
      flush();
      column = Math.floor(at);
    }
    held.push([at, y[index] ?? 0]);
  });
  flush();
  return found;
}

/** The drawing; one for a file has its own colours and background. */
export function progressDrawing(
  points: Points,
  { height, title, forFile }: { height: number; title: string; forFile: boolean }
): SVGSVGElement {
  const { width, span, top } = points;
  const across = new LinearScale([0, span], [LEFT, width - RIGHT]);
  const up = new LinearScale([0, top], [height - LOWER, UPPER]);
  const svg = svgElement('svg', {
    class: 'pnb-progress-line',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': title,
    ...(forFile ? { 'font-family': 'system-ui, sans-serif', 'font-size': 11 } : {})
  });
  if (forFile) {
    svg.append(svgElement('title', {}, title), svgElement('rect', { width, height, fill: '#ffffff' }));
  }
  svg.append(...axes(points, across, up, height), ...ahead(points, across, up));
  const ys = points.total.map(total => up.at(total));
  const [firstX = LEFT] = points.x;
  const start: [number, number] = [Math.min(across.at(0), firstX), up.at(0)];
  const shown = [start, ...thinned(points.x, ys)];
  const path = shown
    .map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join('');
  const lastX = shown[shown.length - 1]?.[0] ?? LEFT;
  svg.append(
    svgElement('path', {
      class: 'pnb-progress-area',
      d: `${path}L${lastX.toFixed(1)} ${up.at(0)}Z`,
      fill: KIND_COLOURS.store,
      'fill-opacity': 0.14
    }),
    svgElement('path', {
      class: 'pnb-progress-path',
      d: path,
      fill: 'none',
      stroke: KIND_COLOURS.store,
      'stroke-width': 1.8,
      'stroke-linejoin': 'round'
    })
  );
  if (points.x.length <= MOST_DOTS) {
    points.x.forEach((x, index) => svg.append(dot(x, ys[index] ?? 0, 2.4)));
  }
  const x = points.x[points.selected];
  if (x !== undefined) {
    svg.append(
      svgElement('line', {
        class: 'pnb-progress-here',
        x1: x,
        x2: x,
        y1: UPPER,
        y2: height - LOWER,
        stroke: '#888888'
      }),
      dot(x, ys[points.selected] ?? 0, 4)
    );
  }
  return svg;
}

function axes(points: Points, across: LinearScale, up: LinearScale, height: number): SVGElement[] {
  const ends = { x1: LEFT, x2: points.width - RIGHT };
  const levels = niceTicks(0, points.top, 4).flatMap(value => {
    const y = up.at(value);
    return [
      svgElement('line', { class: 'pnb-progress-grid', ...ends, y1: y, y2: y, stroke: LINE }),
      svgElement(
        'text',
        { x: LEFT - 6, y: y + 4, 'text-anchor': 'end', fill: QUIET },
        Number.isInteger(value) ? count(value) : general(value, 3)
      )
    ];
  });
  const times = ticks(points.span, Math.max(2, Math.floor(points.width / 130))).map(time => {
    const x = across.at(time);
    return svgElement(
      'text',
      { x, y: height - 5, 'text-anchor': x > points.width - 40 ? 'end' : 'middle', fill: QUIET },
      tick(time)
    );
  });
  return [...levels, ...times];
}

/** How many there will be, and when at this rate. */
function ahead(points: Points, across: LinearScale, up: LinearScale): SVGElement[] {
  const { expected, done, width, x, total } = points;
  if (expected === null) {
    return [];
  }
  const y = up.at(expected);
  const dashed = { 'stroke-dasharray': '4 4', stroke: '#888888' };
  const found: SVGElement[] = [
    svgElement('line', {
      class: 'pnb-progress-expected',
      x1: LEFT,
      x2: width - RIGHT,
      y1: y,
      y2: y,
      ...dashed
    }),
    svgElement(
      'text',
      { x: LEFT + 6, y: y + 13, fill: QUIET },
      `${Number.isInteger(expected) ? count(expected) : general(expected, 4)} expected`
    )
  ];
  const last = x.length - 1;
  if (done !== null && last >= 0) {
    const end = Math.min(done, across.domain[1]);
    const from = x[last] ?? LEFT;
    const begun = across.invert(from);
    const share = done > begun ? (end - begun) / (done - begun) : 1;
    const reached = (total[last] ?? 0) + share * (expected - (total[last] ?? 0));
    found.push(
      svgElement('line', {
        class: 'pnb-progress-ahead',
        x1: from,
        y1: up.at(total[last] ?? 0),
        x2: across.at(end),
        y2: up.at(reached),
        ...dashed
      })
    );
  }
  return found;
}

function dot(x: number, y: number, r: number): SVGElement {
  return svgElement('circle', {
    class: 'pnb-progress-dot',
    cx: x.toFixed(1),
    cy: y.toFixed(1),
    r,
    fill: KIND_COLOURS.store
  });
}
