/** A waterfall as a drawing that stands alone, for a file. */

import { KIND_COLOURS, OVER } from './chart';
import { svgElement } from './dom';
import { endOf } from './feed';
import type { Entry } from './feed';
import { isLoud, levelShape } from './levels';
import { line as safeLine } from './text';
import { counted, duration } from './units';
import { marks, moment, step, Viewport } from './viewport';

const WIDTH = 1100;
const LEFT = 470;
const RIGHT = 100;
const ROW = 16;
const TOP = 52;
const MOST = 1200;
const INK = '#222';
const QUIET = '#666';
const BAD = '#c62828';

/** Every entry at its time; `span` is that of the whole execution. */
export function waterfallSvg(title: string, entries: readonly Entry[], span: number): SVGSVGElement {
  const shown = entries.slice(0, MOST);
  const height = TOP + ROW * (shown.length + (entries.length > MOST ? 1 : 0)) + 12;
  const svg = svgElement(
    'svg',
    {
      width: WIDTH,
      height,
      viewBox: `0 0 ${WIDTH} ${height}`,
      'font-family': 'system-ui, sans-serif',
      'font-size': 11,
      fill: INK
    },
    svgElement('title', {}, title),
    svgElement('rect', { width: WIDTH, height, fill: '#fff' }),
    text(12, 20, title, { 'font-size': 14, 'font-weight': 600 })
  );
  const view = new Viewport();
  view.resize(WIDTH - LEFT - RIGHT);
  view.cover(0, span, false);
  const size = step(view, 90);
  for (const time of marks(view, size)) {
    const x = LEFT + view.x(time);
    svg.append(
      svgElement('line', { x1: x, x2: x, y1: TOP - 8, y2: height - 12, stroke: '#ddd' }),
      text(x, TOP - 12, moment(time, size), { fill: QUIET })
    );
  }
  shown.forEach((entry, index) => svg.append(...row(entry, TOP + ROW * index, view)));
  if (entries.length > MOST) {
    svg.append(
      text(12, TOP + ROW * MOST + 12, `${counted(entries.length - MOST, 'more row')}`, { fill: QUIET })
    );
  }
  return svg;
}

function row(entry: Entry, top: number, view: Viewport): SVGElement[] {
  const base = top + 12;
  if (entry.type === 'gap') {
    return [text(48, base, `${counted(entry.missing, 'more request')} not in this picture`, { fill: QUIET })];
  }
  const line =
    entry.line === null
      ? []
      : [text(LEFT - 14, base, String(entry.line), { fill: QUIET, 'text-anchor': 'end' })];
  const from = LEFT + view.x(entry.from);
  if (entry.type === 'log') {
    const shape = levelShape(entry.level);
    const fill = isLoud(entry.level) ? BAD : QUIET;
    return [
      text(48, base, `${shape} ${entry.level}`, { fill }),
      text(150, base, safeLine(entry.text, 44)),
      ...line,
      text(from, base, shape, { fill })
    ];
  }
  const failed = entry.refused || entry.error !== '';
  const to = LEFT + view.x(endOf(entry));
  const words = failed
    ? `${OVER} ${entry.refused ? 'refused' : safeLine(entry.error, 60)}`
    : entry.took === null
      ? 'no answer'
      : duration(entry.took);
  return [
    text(40, base, String(entry.seq), { fill: QUIET, 'text-anchor': 'end' }),
    text(48, base, safeLine(entry.name, 16)),
    text(150, base, safeLine(entry.detail, 44)),
    ...line,
    svgElement('rect', {
      x: from,
      y: top + 3,
      width: Math.max(1.5, to - from),
      height: ROW - 6,
      fill: KIND_COLOURS[entry.kind]
    }),
    beside(from, Math.max(to, from + 1.5), base, words, failed ? BAD : QUIET)
  ];
}

/** Words behind a bar, or before it where there is more room. */
function beside(from: number, to: number, base: number, words: string, fill: string): SVGTextElement {
  const isLate = words.length > 12 && to > (LEFT + WIDTH) / 2;
  return isLate
    ? text(from - 5, base, words, { fill, 'text-anchor': 'end' })
    : text(to + 5, base, words, { fill });
}

function text(
  x: number,
  y: number,
  words: string,
  attributes: Record<string, string | number> = {}
): SVGTextElement {
  return svgElement('text', { x, y, ...attributes }, words);
}
