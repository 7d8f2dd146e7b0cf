/** A scene as SVG. Nodes are kept from one drawing to the next, and written only where something changed. */

import { setAttribute, setText, svgElement, uniqueId } from './dom';
import { KIND_COLOURS } from './filesvg';
import { BAR, LANE, round, TOP } from './scene';
import type { Line, Mark, Scene } from './scene';
import { KINDS } from './wire';

/** What stands around the scene. */
export interface Frame {
  /** The width of what is drawn over time; beside it are margins, and that list. */
  width: number;
  rows: number;
  /** The width of the list of what is far ahead; 0 where there is none. */
  column: number;
  marks: { x: number; text: string }[];
  /** Where now is; null where that is not in view. */
  now: number | null;
  /** The bar at which things are, by what is about it. */
  rings: Record<Ring, { x: number; y: number; width: number } | null>;
  /** Which part of the whole is seen, as shares; null if it is all. */
  scroll: { from: number; to: number; failures: number[] } | null;
}

export type Ring = 'hovered' | 'selected' | 'focused';

export const MARGIN = 8;
const FOOT = 16;
const CORNER = 2.5;

export function heightOf(rows: number): number {
  return TOP + rows * LANE + FOOT;
}

export function widthOf(frame: Pick<Frame, 'width' | 'column'>): number {
  return frame.width + 2 * MARGIN + frame.column;
}

const SHAPES: Record<Mark['shape'], (x: number, y: number) => string> = {
  failed: (x, y) => `M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`,
  cancelled: (x, y) => `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0`,
  near: (x, y) => `M${x} ${y - 4}l4.5 8h-9z`
};

const LINES: readonly Line[] = ['hint', 'wait', 'arrow', 'retry', 'lit'];
const RINGS: readonly Ring[] = ['hovered', 'selected', 'focused'];

export class Painter {
  readonly svg = svgElement('svg', { class: 'pnb-chain-picture', 'aria-hidden': 'true', focusable: 'false' });
  private readonly clip = svgElement('rect', { y: 0 });
  private readonly plot: SVGGElement;
  private readonly paths = new Map<string, SVGPathElement>();
  private readonly drawn = new Map<string, string>();
  private readonly bars: Pool<SVGRectElement>;
  private readonly labels: Pool<SVGTextElement>;
  private readonly times: Pool<SVGTextElement>;
  private readonly rings = new Map<Ring, SVGRectElement>();
  private readonly nowLabel = svgElement('text', { class: 'pnb-chain-now', y: 12 }, 'now');
  private readonly thumb = svgElement('rect', { class: 'pnb-chain-thumb', height: 6, rx: 3 });
  private readonly track = svgElement('rect', { class: 'pnb-chain-track', height: 6, rx: 3, x: 0 });

  constructor() {
    const id = uniqueId('clip');
    this.svg.append(svgElement('defs', {}, svgElement('clipPath', { id }, this.clip)));
    const around = svgElement('g', { transform: `translate(${MARGIN} 0)` });
    const grid = svgElement('g', {});
    this.plot = svgElement('g', { 'clip-path': `url(#${id})` });
    const bars = svgElement('g', {});
    const labels = svgElement('g', {});
    around.append(grid, this.plot);
    this.svg.append(around);
    this.add(grid, 'grid');
    this.add(grid, 'now-line');
    grid.append(this.nowLabel);
    LINES.forEach(line => this.add(this.plot, `line-${line}`));
    this.add(this.plot, 'head-arrow');
    this.add(this.plot, 'head-lit');
    [0, 1, 2, 3].forEach(level => this.add(this.plot, `heap-${level}`));
    this.add(this.plot, 'heap-bad');
    this.plot.append(bars);
    KINDS.forEach(kind => this.add(this.plot, `gauge-${kind}`).classList.add(`pnb-kind-${kind}`));
    for (const ring of RINGS) {
      const made = svgElement('rect', { class: `pnb-chain-${ring}`, rx: CORNER + 1.5, height: BAR + 4 });
      this.rings.set(ring, made);
      this.plot.append(made);
    }
    this.add(around, 'break');
    this.add(around, 'ahead');
    around.append(labels);
    (['near', 'cancelled', 'failed'] as const).forEach(shape => this.add(around, `mark-${shape}`));
    around.append(this.track, this.thumb);
    this.add(around, 'track-failed');
    this.bars = new Pool(bars, () => svgElement('rect', { height: BAR, rx: CORNER }));
    this.labels = new Pool(labels, () => svgElement('text'));
    this.times = new Pool(grid, () => svgElement('text', { class: 'pnb-chain-time', y: 12 }));
  }

  paint(scene: Scene, frame: Frame, idOf: (index: number) => number): void {
    this.surround(frame);
    LINES.forEach(line => this.draw(`line-${line}`, scene.lines[line]));
    this.draw('head-arrow', scene.heads.arrow);
    this.draw('head-lit', scene.heads.lit);
    scene.heaps.forEach((d, level) => this.draw(`heap-${level}`, d));
    this.draw('heap-bad', scene.badHeaps);
    KINDS.forEach(kind => this.draw(`gauge-${kind}`, scene.gauges[kind]));
    this.draw('ahead', scene.ahead);
    this.bars.begin();
    for (const { index, state, x, y, width } of scene.bars) {
      // Far out of view, figures grow beyond what is drawn exactly.
      const from = Math.max(x, -20);
      const wide = Math.min(x + width, frame.width + 20) - from;
      const known = this.bars.next();
      known.set('x', round(from));
      known.set('y', y);
      known.set('width', round(Math.max(wide, 1.5)));
      known.set('class', width < 5 ? `pnb-bar pnb-${state} pnb-thin` : `pnb-bar pnb-${state}`);
      known.set('data-attempt', idOf(index));
    }
    this.bars.end();
    this.labels.begin();
    for (const { text, x, y, kind } of scene.labels) {
      const known = this.labels.next();
      known.set('x', x);
      known.set('y', y);
      known.set('class', `pnb-chain-${kind}`);
      known.text(text);
    }
    this.labels.end();
    for (const shape of ['near', 'cancelled', 'failed'] as const) {
      const found = scene.marks.filter(mark => mark.shape === shape);
      this.draw(`mark-${shape}`, found.map(({ x, y }) => SHAPES[shape](x, y)).join(''));
    }
    setAttribute(this.svg, 'data-bars', scene.bars.length);
    setAttribute(this.svg, 'data-heaped', scene.heaped);
  }

  private surround(frame: Frame): void {
    const height = heightOf(frame.rows);
    const bottom = TOP + frame.rows * LANE;
    setAttribute(this.svg, 'width', widthOf(frame));
    setAttribute(this.svg, 'height', height);
    setAttribute(this.clip, 'x', -MARGIN);
    setAttribute(this.clip, 'width', frame.width + 2 * MARGIN);
    setAttribute(this.clip, 'height', height);
    this.draw('grid', frame.marks.map(({ x }) => `M${round(x)} ${TOP - 6}V${bottom}`).join(''));
    this.times.begin();
    for (const { x, text } of frame.marks) {
      if (frame.now !== null && x > frame.now - 50 && x < frame.now + 36) {
        continue;
      }
      const known = this.times.next();
      const anchor = x < 20 ? 'start' : x > frame.width - 20 ? 'end' : 'middle';
      known.set('x', round(anchor === 'start' ? Math.max(x - 4, -4) : anchor === 'end' ? x + 4 : x));
      known.set('text-anchor', anchor);
      known.text(text);
    }
    this.times.end();
    this.draw('now-line', frame.now === null ? '' : `M${round(frame.now)} ${TOP - 6}V${bottom}`);
    setAttribute(this.nowLabel, 'display', frame.now === null ? 'none' : null);
    setAttribute(this.nowLabel, 'x', round(frame.now ?? 0));
    setAttribute(this.nowLabel, 'text-anchor', (frame.now ?? 0) > frame.width - 14 ? 'end' : 'middle');
    for (const ring of RINGS) {
      this.ring(this.rings.get(ring) as SVGRectElement, frame.rings[ring], frame.width);
    }
    this.draw('break', frame.column > 0 ? broken(frame.width + 6, bottom) : '');
    this.scroll(frame, bottom + 8);
  }

  private ring(
    node: SVGRectElement,
    place: { x: number; y: number; width: number } | null,
    width: number
  ): void {
    setAttribute(node, 'display', place === null ? 'none' : null);
    if (place !== null) {
      const from = Math.max(place.x - 2, -20);
      setAttribute(node, 'x', round(from));
      setAttribute(node, 'y', round(place.y - 2));
      setAttribute(node, 'width', round(Math.max(Math.min(place.x + place.width + 2, width + 20) - from, 4)));
    }
  }

  private scroll({ scroll, width }: Frame, y: number): void {
    const shown = scroll !== null;
    for (const node of [this.track, this.thumb]) {
      setAttribute(node, 'display', shown ? null : 'none');
      setAttribute(node, 'y', y);
    }
    setAttribute(this.track, 'width', width);
    const from = (scroll?.from ?? 0) * width;
    setAttribute(this.thumb, 'x', round(from));
    setAttribute(this.thumb, 'width', round(Math.max(((scroll?.to ?? 1) - (scroll?.from ?? 0)) * width, 8)));
    const failures = scroll?.failures ?? [];
    this.draw('track-failed', failures.map(at => `M${round(at * width)} ${y - 1}v8`).join(''));
  }

  private add(parent: SVGGElement, name: string): SVGPathElement {
    const path = svgElement('path', { class: `pnb-chain-${name}` });
    this.paths.set(name, path);
    parent.append(path);
    return path;
  }

  private draw(name: string, d: string): void {
    if (this.drawn.get(name) !== d) {
      this.drawn.set(name, d);
      this.paths.get(name)?.setAttribute('d', d);
    }
  }
}

/** Nodes of one sort, of which some are in use. */
class Pool<E extends SVGElement> {
  private readonly nodes: Pooled<E>[] = [];
  private used = 0;
  private before = 0;

  constructor(
    private readonly parent: SVGGElement,
    private readonly make: () => E
  ) {}

  begin(): void {
    this.before = this.used;
    this.used = 0;
  }

  next(): Pooled<E> {
    let node = this.nodes[this.used];
    if (node === undefined) {
      node = new Pooled(this.make());
      this.nodes.push(node);
      this.parent.append(node.element);
    } else if (this.used >= this.before) {
      this.parent.append(node.element);
    }
    this.used += 1;
    return node;
  }

  end(): void {
    for (let at = this.used; at < this.before; at += 1) {
      this.nodes[at]?.element.remove();
    }
  }
}

/** A node that knows what was written to it: to read it back would be slow. */
class Pooled<E extends SVGElement> {
  private readonly written = new Map<string, string | number>();

  constructor(readonly element: E) {}

  set(name: string, value: string | number): void {
    if (this.written.get(name) !== value) {
      this.written.set(name, value);
      this.element.setAttribute(name, String(value));
    }
  }

  text(text: string): void {
    if (this.written.get('') !== text) {
      this.written.set('', text);
      setText(this.element, text);
    }
  }
}

/** A break in the time: two strokes across its line. */
function broken(x: number, bottom: number): string {
  return `M${x} ${TOP - 6}V${bottom}M${x + 4} ${TOP - 6}V${bottom}`;
}

/** The look of a picture in a file, which has no style sheet: that of `style/chain.css` on white. */
export const FILE_STYLE = `
svg{background:#fff;font:11px system-ui,sans-serif}
path{fill:none}
text{fill:#222}
.pnb-bar{fill:#dfe3ea;stroke:#7c8899}
.pnb-running{fill:#d6e6f7;stroke:#3b7fc4;stroke-dasharray:3 2}
.pnb-failed{fill:#f8d5d4;stroke:#c62f2a}
.pnb-cancelled{fill:#fff;stroke:#c62f2a;stroke-dasharray:3 2}
.pnb-thin{fill:#7c8899;stroke:none}
.pnb-thin.pnb-failed{fill:#c62f2a}
.pnb-thin.pnb-running{fill:#3b7fc4}
.pnb-chain-grid{stroke:#ddd}
.pnb-chain-now-line{stroke:#3b7fc4}
.pnb-chain-now{fill:#3b7fc4;font-weight:600}
.pnb-chain-time,.pnb-chain-more,.pnb-chain-delay{fill:#666}
.pnb-chain-name,.pnb-chain-delay{paint-order:stroke;stroke:#fff;stroke-width:2px;stroke-opacity:.6}
.pnb-chain-line-wait,.pnb-chain-line-arrow,.pnb-chain-line-retry{stroke:#8a93a0}
.pnb-chain-line-hint{stroke:#8a93a0;stroke-opacity:.35}
.pnb-chain-line-retry{stroke:#c62f2a;stroke-dasharray:4 3}
.pnb-chain-line-lit{stroke:#3b7fc4;stroke-width:1.5}
.pnb-chain-head-arrow{fill:#8a93a0}
.pnb-chain-head-lit{fill:#3b7fc4}
.pnb-chain-heap-0,.pnb-chain-heap-1,.pnb-chain-heap-2,.pnb-chain-heap-3{fill:#7c8899}
.pnb-chain-heap-0{fill-opacity:.3}
.pnb-chain-heap-1{fill-opacity:.5}
.pnb-chain-heap-2{fill-opacity:.75}
.pnb-chain-heap-bad{fill:#c62f2a}
.pnb-chain-ahead{fill:none;stroke:#3b7fc4;stroke-dasharray:3 2}
text.pnb-chain-ahead{fill:#222;stroke:none}
.pnb-chain-break{stroke:#aaa;stroke-dasharray:2 3}
.pnb-chain-mark-failed{stroke:#c62f2a;stroke-width:2}
.pnb-chain-mark-cancelled{stroke:#c62f2a;stroke-width:1.5}
.pnb-chain-mark-near{fill:#b06018}
.pnb-chain-selected{fill:none;stroke:#3b7fc4;stroke-width:2}
.pnb-chain-hovered,.pnb-chain-focused,.pnb-chain-track,.pnb-chain-thumb,.pnb-chain-track-failed{display:none}
${KINDS.map(kind => `.pnb-chain-gauge-${kind}{fill:${KIND_COLOURS[kind]}}`).join('\n')}
`;
