/** A chain over the runtime's time: what ran when, what set it off, and what is still to come. */

import { addAhead, columnOf } from './ahead';
import { CHAIN, chainTable, chainWords, Legend, ties, times } from './chainwords';
import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { button, element, listen, setAttribute, setText, svgElement, uniqueId } from './dom';
import { drag } from './drag';
import { figures, spoken } from './figures';
import type { Journal } from './journal';
import { firstSetOff } from './kin';
import type { Heap, Lane } from './lanes';
import { Layout } from './layout';
import { FILE_STYLE, heightOf, MARGIN, Painter, widthOf } from './painter';
import type { Frame } from './painter';
import { clamp } from './scale';
import { BAR, cellOf, compose, heapWords, LANE, middle, TOP } from './scene';
import type { Scene } from './scene';
import { Tooltip } from './tooltip';
import { marks, moment, step, Viewport } from './viewport';

/** The execution chain. */
export function chainChart(context: Context): Chart {
  return new Chain(context);
}

const KEYS = 'Arrow keys go along the chain, up to what set an execution off and down to what it set off.';
const MORE_KEYS = 'Home and End go to the first and last. Enter selects, plus and minus zoom, 0 shows all.';
const LEAST_WIDTH = 120;
/** The width of a picture that is drawn where it has none, as in a file. */
const WIDTH = 960;
const TICKS = 84;
const CLOSER = 0.6;
const SLACK = 4;

interface Found {
  index: number;
  heap: Heap | null;
}

class Chain implements Chart {
  readonly name = CHAIN;
  readonly element: HTMLElement;
  private readonly journal: Journal;
  private readonly layout = new Layout();
  private readonly view = new Viewport();
  private readonly painter = new Painter();
  private readonly plot: HTMLElement;
  private readonly spoken = element('p', { class: 'pnb-spoken', role: 'status' });
  private readonly legend = new Legend();
  private readonly fitButton: HTMLButtonElement;
  private readonly tooltip: Tooltip;
  private readonly drawing: Drawing;
  private readonly undo: (() => void)[] = [];
  private focused = -1;
  private hovered: Found | null = null;
  private scene: Scene | null = null;
  private column = 0;

  constructor(private readonly context: Context) {
    this.journal = context.journal;
    const help = uniqueId('keys');
    this.plot = element('div', {
      class: 'pnb-chain-plot',
      role: 'application',
      tabindex: 0,
      'aria-roledescription': 'chart',
      'aria-describedby': help
    });
    this.plot.append(this.painter.svg);
    this.fitButton = this.button('Fit', 'Fit all in (0)', () => this.view.fit());
    this.element = element(
      'div',
      { class: 'pnb-chart pnb-chain' },
      element(
        'div',
        { class: 'pnb-chain-bar' },
        this.legend.element,
        element(
          'div',
          { class: 'pnb-chain-zoom' },
          this.button('−', 'Zoom out (−)', () => this.view.zoom(1 / CLOSER, this.focusX())),
          this.button('+', 'Zoom in (+)', () => this.view.zoom(CLOSER, this.focusX())),
          this.fitButton
        )
      ),
      this.plot,
      element('p', { class: 'pnb-spoken', id: help }, `${KEYS} ${MORE_KEYS}`),
      this.spoken
    );
    this.tooltip = new Tooltip(this.plot);
    this.listen();
    this.drawing = follow(context, this.plot, () => this.draw());
    this.undo.push(context.selection.subscribe(id => this.bringIn(id)));
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.drawing.dispose();
  }

  table(): Table {
    return chainTable(this.journal);
  }

  svg(): SVGSVGElement | null {
    this.layOut();
    if (this.isEmpty) {
      return null;
    }
    const painter = new Painter();
    const frame = this.frame();
    const scene = this.compose();
    painter.paint(scene, { ...frame, scroll: null }, index => this.journal.idAt(index));
    painter.svg.prepend(
      svgElement('title', {}, chainWords(this.journal)),
      svgElement('style', {}, FILE_STYLE)
    );
    painter.svg.removeAttribute('aria-hidden');
    painter.svg.setAttribute('viewBox', `0 0 ${widthOf(frame)} ${heightOf(frame.rows)}`);
    return painter.svg;
  }

  // drawing

  private get isEmpty(): boolean {
    return this.journal.length === 0 && this.journal.scheduled.total === 0;
  }

  private draw(): void {
    this.layOut();
    const frame = this.frame();
    this.scene = this.compose();
    this.painter.paint(this.scene, frame, index => this.journal.idAt(index));
    this.plot.classList.toggle('pnb-chain-closer', !this.view.fitted);
    this.fitButton.disabled = this.view.fitted;
    setAttribute(this.plot, 'aria-label', chainWords(this.journal));
    this.legend.tell(this.journal, this.scene, this.layout);
  }

  /** Take in what is new, and measure what there is to see. */
  private layOut(): void {
    this.layout.take(this.journal);
    const width = this.plot.clientWidth || WIDTH;
    this.column = columnOf(this.layout.ahead, width);
    this.view.resize(Math.max(LEAST_WIDTH, width - 2 * MARGIN - this.column));
    this.view.cover(this.layout.begin, this.layout.end, this.journal.running);
  }

  private compose(): Scene {
    const lit = [this.selected(), this.hovered?.index ?? -1].filter(index => index >= 0);
    const scene = compose(this.journal, this.layout.lanes, this.view, lit);
    addAhead(scene, this.journal, this.view, this.layout.ahead, this.layout.rows, this.column);
    if (this.isEmpty) {
      scene.labels.push({ text: this.journal.summary(), x: 0, y: middle(0), kind: 'more' });
    }
    return scene;
  }

  private frame(): Frame {
    const { view, journal } = this;
    const size = step(view, TICKS);
    const now = view.x(journal.now);
    const whole = view.whole;
    const share = (time: number): number => (time - this.layout.begin) / whole;
    return {
      width: view.width,
      rows: this.layout.rows,
      column: this.column,
      marks: (this.isEmpty ? [] : marks(view, size)).map(time => ({
        x: view.x(time),
        text: moment(time, size)
      })),
      now:
        (journal.running || journal.scheduled.total > 0) && now >= 0 && now <= view.width + 0.5 ? now : null,
      rings: {
        hovered: this.ring(this.hovered?.index ?? -1),
        selected: this.ring(this.selected()),
        focused: this.ring(this.plot.matches(':focus-visible') ? this.focused : -1)
      },
      scroll: view.fitted
        ? null
        : { from: share(view.from), to: share(view.to), failures: this.failedShares(share) }
    };
  }

  private failedShares(share: (time: number) => number): number[] {
    const found = new Set<number>();
    for (const index of this.layout.failures) {
      found.add(Math.round(share(this.journal.startedAt(index)) * 400) / 400);
    }
    return [...found];
  }

  private ring(index: number): { x: number; y: number; width: number } | null {
    if (index < 0) {
      return null;
    }
    const [from, to] = this.stay(index);
    const x = this.view.x(from);
    const right = this.view.x(to);
    const seen = right >= -MARGIN && x <= this.view.width + MARGIN;
    return seen
      ? { x, y: middle(this.layout.lanes.of(index)) - BAR / 2, width: Math.max(right - x, 1.5) }
      : null;
  }

  private stay(index: number): [number, number] {
    const started = this.journal.startedAt(index);
    return [started, Math.max(started, this.journal.endedAt(index) ?? this.journal.now)];
  }

  // pointing

  private listen(): void {
    const { plot } = this;
    this.undo.push(
      listen(plot, 'keydown', event => this.key(event)),
      listen(plot, 'wheel', event => this.wheel(event), { passive: false }),
      listen(plot, 'pointerdown', event => this.press(event)),
      listen(plot, 'pointermove', event => this.point(event)),
      listen(plot, 'pointerleave', () => this.leave()),
      listen(plot, 'dblclick', event => this.closer(event)),
      listen(plot, 'focus', () => this.enter()),
      listen(plot, 'blur', () => this.leave())
    );
  }

  private at(event: MouseEvent): { x: number; y: number } {
    const box = this.painter.svg.getBoundingClientRect();
    return { x: event.clientX - box.left - MARGIN, y: event.clientY - box.top };
  }

  private find(x: number, y: number): Found | null {
    const { view, scene } = this;
    const { lanes } = this.layout;
    const number = Math.floor((y - TOP) / LANE);
    const lane = lanes.all[number];
    if (!lane || !scene || x > view.width + MARGIN) {
      return null;
    }
    const pixel = view.span / view.width;
    const time = view.time(x);
    const place = lane.nearest(time, SLACK * pixel, this.journal.now);
    if (place < 0) {
      return null;
    }
    const cell = cellOf(scene.least) * pixel;
    let heap: Heap | null = null;
    const edge = Math.floor((lane.starts[place] as number) / cell) * cell;
    lane.walk(
      edge,
      edge + cell,
      scene.least * pixel,
      cell,
      () => undefined,
      many => {
        heap = many.first <= place && place < many.last ? many : heap;
      }
    );
    return { index: this.worthiest(lane, place, heap), heap };
  }

  /** Of a heap, what failed. */
  private worthiest(lane: Lane, place: number, heap: Heap | null): number {
    const among = heap && heap.failed > 0 ? lane.items.slice(heap.first, heap.last) : [];
    return among.find(index => this.journal.failedAt(index)) ?? (lane.items[place] as number);
  }

  private point(event: PointerEvent): void {
    if (event.buttons !== 0) {
      return;
    }
    const { x, y } = this.at(event);
    const found = this.find(x, y);
    this.hovered = found;
    this.plot.classList.toggle('pnb-chain-over', found !== null);
    if (found === null) {
      this.tooltip.hide();
    } else {
      this.tell(found, x + MARGIN, y);
    }
    this.redraw();
  }

  private leave(): void {
    this.hovered = null;
    this.tooltip.hide();
    this.redraw();
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) {
      return;
    }
    const from = this.at(event);
    const onTrack = from.y > TOP + this.layout.rows * LANE && !this.view.fitted;
    if (onTrack) {
      this.scrollTo(from.x);
    }
    const moved = (x: number, at: PointerEvent): void => {
      this.tooltip.hide();
      if (onTrack) {
        this.scrollTo(this.at(at).x);
      } else {
        this.view.pan(-x);
      }
      this.redraw();
    };
    const clicked = (): void => {
      if (!onTrack) {
        this.choose(this.find(from.x, from.y)?.index ?? null);
      }
    };
    drag(this.plot, event, moved, clicked);
  }

  private scrollTo(x: number): void {
    const { view } = this;
    const middle = this.layout.begin + (x / view.width) * view.whole;
    view.pan(view.x(middle) - view.width / 2);
    this.redraw();
  }

  private wheel(event: WheelEvent): void {
    const across = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      this.view.zoom(Math.exp(clamp(event.deltaY / 240, -1, 1)), this.at(event).x);
    } else if (Math.abs(across) > (event.shiftKey ? 0 : Math.abs(event.deltaY)) && !this.view.fitted) {
      this.view.pan(across);
    } else {
      return;
    }
    event.preventDefault();
    this.tooltip.hide();
    this.redraw();
  }

  private closer(event: MouseEvent): void {
    event.preventDefault();
    this.view.zoom(0.25, this.at(event).x);
    this.tooltip.hide();
    this.redraw();
  }

  // keys

  private enter(): void {
    if (this.focused < 0) {
      const selected = this.selected();
      this.focused = selected >= 0 ? selected : this.firstInView();
    }
    if (this.plot.matches(':focus-visible')) {
      this.say();
    }
    this.redraw();
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const { journal } = this;
    const last = journal.length - 1;
    const at = this.focused;
    const go: Record<string, () => void> = {
      ArrowLeft: () => this.go(Math.max(at - 1, 0)),
      ArrowRight: () => this.go(Math.min(at + 1, last)),
      ArrowUp: () => this.go(at >= 0 ? journal.causeOf(at) : -1),
      ArrowDown: () => this.go(at >= 0 ? firstSetOff(journal, at) : 0),
      Home: () => this.go(0),
      End: () => this.go(last),
      PageUp: () => this.view.pan(-this.view.width / 2),
      PageDown: () => this.view.pan(this.view.width / 2),
      Enter: () => this.choose(at),
      ' ': () => this.choose(at),
      Escape: () => this.choose(null),
      '+': () => this.view.zoom(CLOSER, this.focusX()),
      '=': () => this.view.zoom(CLOSER, this.focusX()),
      '-': () => this.view.zoom(1 / CLOSER, this.focusX()),
      '0': () => this.view.fit()
    };
    const act = go[event.key];
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
      this.redraw();
    }
  }

  private go(index: number): void {
    if (index < 0 || index >= this.journal.length) {
      return;
    }
    this.focused = index;
    this.view.show(...this.stay(index));
    this.say();
  }

  private firstInView(): number {
    const { journal, view } = this;
    for (let index = 0; index < journal.length; index += 1) {
      if (this.stay(index)[1] >= view.from) {
        return index;
      }
    }
    return -1;
  }

  private focusX(): number {
    const x = this.focused < 0 ? -1 : this.view.x(this.journal.startedAt(this.focused));
    return x >= 0 && x <= this.view.width ? x : this.view.width / 2;
  }

  /** The figures of what has the focus, beside it and for who does not see it. */
  private say(): void {
    if (this.focused < 0) {
      return;
    }
    const attempt = this.journal.attempt(this.focused);
    const around = [...times(attempt, this.journal), ...ties(attempt, this.journal)].map(told =>
      told.join(' ')
    );
    setText(this.spoken, `${spoken(attempt, this.journal.limits)}; ${around.join('; ')}`);
    const [from] = this.stay(this.focused);
    const x = clamp(this.view.x(from), 0, this.view.width);
    this.tell(
      { index: this.focused, heap: null },
      x + MARGIN,
      middle(this.layout.lanes.of(this.focused)) + BAR / 2
    );
  }

  // selecting

  private selected(): number {
    return this.journal.indexOf(this.context.selection.value);
  }

  private choose(index: number | null): void {
    if (index !== null && index >= 0) {
      this.focused = index;
      this.context.selection.set(this.journal.idAt(index));
    } else {
      this.context.selection.set(null);
    }
  }

  private bringIn(id: number | null): void {
    const index = this.journal.indexOf(id);
    if (index >= 0) {
      this.focused = index;
      this.view.show(...this.stay(index));
    }
  }

  private tell({ index, heap }: Found, x: number, y: number): void {
    if (heap) {
      const times = `${moment(heap.from, 1)} to ${moment(heap.to, 1)}`;
      this.tooltip.show(
        x,
        y,
        heapWords(heap),
        [['time', times]],
        'Double click, or Ctrl and the wheel: closer.'
      );
      return;
    }
    const attempt = this.journal.attempt(index);
    const title = element(
      'span',
      {},
      element('b', {}, element('bdi', {}, attempt.method)),
      ` ${attempt.label}`
    );
    this.tooltip.show(x, y, title, [
      ...figures(attempt, this.journal.limits),
      ...ties(attempt, this.journal)
    ]);
  }

  private button(text: string, label: string, act: () => void): HTMLButtonElement {
    // The chart is one stop for the keyboard, and these have keys of their own.
    const attributes = { tabindex: -1, title: label, 'aria-label': label };
    return button(text, () => {
      act();
      this.redraw();
    }, attributes);
  }
}
