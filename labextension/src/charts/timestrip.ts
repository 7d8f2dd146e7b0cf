/** All requests of an execution in small over its time: a lane for each kind, the CPU as a curve. */

import { element, listen, svgElement } from './dom';
import { endOf } from './feed';
import type { Entry, RequestEntry } from './feed';
import { isLoud, levelShape } from './levels';
import { marks, moment, step, Viewport } from './viewport';
import { KINDS } from './wire';
import type { Kind } from './wire';

const LANE = 6;
const SCALE = 14;
const MARK_DISTANCE = 90;
/** Pixels that the label of a mark may take. */
const LABEL = 44;
const UNKNOWN_WIDTH = 800;

type Place = (time: number) => number;

export class TimeStrip {
  readonly element = element('div', { class: 'pnb-ex-strip', 'aria-hidden': 'true' });
  private readonly inView = element('div', { class: 'pnb-ex-in-view' });
  private readonly undo: (() => void)[];
  private span = 1;
  private width = -1;

  /** @param seek Somebody wants to see what happened at a time. */
  constructor(private readonly seek: (time: number) => void) {
    this.undo = [
      listen(this.element, 'pointerdown', event => this.drag(event)),
      listen(this.element, 'pointermove', event => event.buttons === 1 && this.drag(event))
    ];
  }

  /** Whether there is another width now than when it was drawn. */
  get isStale(): boolean {
    return this.element.clientWidth !== this.width;
  }

  /**
   * @param most CPU at the top of the curve.
   * @param span Milliseconds over the whole width.
   */
  draw(entries: readonly Entry[], most: number, span: number): void {
    this.span = span;
    this.width = this.element.clientWidth;
    const width = this.width || UNKNOWN_WIDTH;
    const x = (time: number): number => (width * time) / span;
    const requests = entries.filter(
      (entry): entry is RequestEntry => entry.type === 'request' && !entry.refused
    );
    const kinds = KINDS.filter(kind => requests.some(entry => entry.kind === kind));
    const bottom = Math.max(3, kinds.length + 1) * LANE;
    const height = bottom + SCALE;
    const svg = svgElement('svg', {
      width: '100%',
      height,
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none'
    });
    svg.append(svgElement('path', { class: 'pnb-ex-cpu-curve', d: cpuCurve(requests, x, bottom, most) }));
    kinds.forEach((kind, lane) => {
      const d = lanePath(requests, kind, x, lane * LANE + LANE / 2);
      svg.append(svgElement('path', { class: `pnb-ex-lane pnb-kind-${kind}`, d }));
    });
    for (const entry of entries) {
      if (entry.type === 'log' && isLoud(entry.level)) {
        const name = entry.level === 'warning' ? 'pnb-near' : 'pnb-bad';
        svg.append(svgElement('text', { x: x(entry.from), y: bottom, class: name }, levelShape(entry.level)));
      }
    }
    const scale = element('div', { class: 'pnb-ex-strip-scale' }, ...timeMarks(0, span, width));
    this.element.replaceChildren(svg, scale, this.inView);
  }

  /** Mark the time of what is seen elsewhere. */
  mark(from: number, to: number): void {
    this.inView.style.left = `${(100 * from) / this.span}%`;
    this.inView.style.width = `${(100 * (to - from)) / this.span}%`;
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  private drag(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    this.seek(((event.clientX - box.left) / Math.max(1, box.width)) * this.span);
  }
}

/** Round times at their places; none where `title` pixels are taken. */
export function timeMarks(from: number, to: number, width: number, title = 0): HTMLElement[] {
  const view = new Viewport();
  view.resize(width);
  view.cover(from, to, false);
  const size = step(view, MARK_DISTANCE);
  return marks(view, size)
    .filter(time => view.x(time) >= title && view.x(time) < width - LABEL)
    .map(time => {
      const left = `${((100 * view.x(time)) / width).toFixed(3)}%`;
      return element('i', { class: 'pnb-ex-mark', style: { left } }, moment(time, size));
    });
}

function lanePath(requests: readonly RequestEntry[], kind: Kind, x: Place, y: number): string {
  let path = '';
  let drawn = -1;
  for (const entry of requests) {
    const left = x(entry.from);
    const right = Math.max(left + 1, x(endOf(entry)));
    if (entry.kind === kind && right > drawn) {
      path += `M${left.toFixed(1)} ${y}H${right.toFixed(1)}`;
      drawn = right;
    }
  }
  return path;
}

function cpuCurve(requests: readonly RequestEntry[], x: Place, bottom: number, most: number): string {
  const last = requests[requests.length - 1];
  let path = `M0 ${bottom}`;
  let level = bottom;
  for (const entry of requests) {
    if (entry.cpu !== null && most > 0) {
      const y = bottom * (1 - entry.cpu / most);
      path += `L${x(entry.from).toFixed(1)} ${level.toFixed(1)}V${y.toFixed(1)}`;
      level = y;
    }
  }
  return `${path}L${(last ? x(endOf(last)) : 0).toFixed(1)} ${level.toFixed(1)}V${bottom}Z`;
}
