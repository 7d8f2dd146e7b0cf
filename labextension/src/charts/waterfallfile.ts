/** A waterfall as a drawing that stands alone, for a file. */

import { svgElement } from './dom';
import { endOf } from './feed';
import type { Entry } from './feed';
import { BAD, fileSvg, fileText, KIND_COLOURS, LINE, QUIET } from './filesvg';
import { isLoud, levelShape } from './levels';
import { OVER } from './outcome';
import { line as safeLine } from './text';
import { counted, duration } from './units';
import { marks, moment, step, Viewport } from './viewport';

const WIDTH = 1100;
const LEFT = 470;
const RIGHT = 100;
const ROW = 16;
const TOP = 52;
const MOST = 1200;

/** Every entry at its time; `span` is that of the whole execution. */
export function waterfallSvg(title: string, entries: readonly Entry[], span: number): SVGSVGElement {
  const shown = entries.slice(0, MOST);
  const height = TOP + ROW * (shown.length + (entries.length > MOST ? 1 : 0)) + 12;
  const parts: SVGElement[] = [fileText(12, 20, title, { 'font-size': 14, 'font-weight': 600 })];
  const view = new Viewport();
  view.resize(WIDTH - LEFT - RIGHT);
  view.cover(0, span, false);
  const size = step(view, 90);
  for (const time of marks(view, size)) {
    const x = LEFT + view.x(time);
    parts.push(
      svgElement('line', { x1: x, x2: x, y1: TOP - 8, y2: height - 12, stroke: LINE }),
      fileText(x, TOP - 12, moment(time, size), { fill: QUIET })
    );
  }
  shown.forEach((entry, index) => parts.push(...row(entry, TOP + ROW * index, view)));
  if (entries.length > MOST) {
    parts.push(
      fileText(12, TOP + ROW * MOST + 12, `${counted(entries.length - MOST, 'more row')}`, { fill: QUIET })
    );
  }
  return fileSvg({ width: WIDTH, height, fontSize: 11 }, title, parts);
}

function row(entry: Entry, top: number, view: Viewport): SVGElement[] {
  const base = top + 12;
  if (entry.type === 'gap') {
    return [fileText(48, base, `${counted(entry.missing, 'more request')} not in this picture`, { fill: QUIET })];
  }
  const line =
    entry.line === null
      ? []
      : [fileText(LEFT - 14, base, String(entry.line), { fill: QUIET, 'text-anchor': 'end' })];
  const from = LEFT + view.x(entry.from);
  if (entry.type === 'log') {
    const shape = levelShape(entry.level);
    const fill = isLoud(entry.level) ? BAD : QUIET;
    return [
      fileText(48, base, `${shape} ${entry.level}`, { fill }),
      fileText(150, base, safeLine(entry.text, 44)),
      ...line,
      fileText(from, base, shape, { fill })
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
    fileText(40, base, String(entry.seq), { fill: QUIET, 'text-anchor': 'end' }),
    fileText(48, base, safeLine(entry.name, 16)),
    fileText(150, base, safeLine(entry.detail, 44)),
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
    ? fileText(from - 5, base, words, { fill, 'text-anchor': 'end' })
    : fileText(to + 5, base, words, { fill });
}
