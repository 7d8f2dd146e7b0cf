/** What there is to draw of a chain in a span of time: figures and paths only. */

import type { Journal } from './journal';
import { waitedSince } from './kin';
import type { Heap, Lane, Lanes } from './lanes';
import { clamp } from './scale';
import { count, counted, duration } from './units';
import type { Viewport } from './viewport';
import { KINDS } from './wire';
import type { Kind } from './wire';

export const LANE = 26;
export const BAR = 18;
/** Where the letters of a bar stand, above its strip. */
const BASE = 10.5;
/** Where the first lane begins, below the time's labels. */
export const TOP = 24;

/** Up to which width bars of a lane are drawn as one, in pixels. */
const LEAST = 2;
const CELL = 6;
/** More bars than these are not worth their nodes: neighbours are drawn as one earlier. */
const MOST = 420;
/** Up to how many bars there is room for arrows; and up to how many for their hints. */
const ARROWS = 160;
const HINTS = 420;
const LABELS = 300;
/** More arrows than these from one place are drawn only if it is pointed at. */
const FAN = 16;
const GAUGE = 3;
const ROOM_FOR_HEAD = 8;
/** Shares of its time in which something ran, from which a heap is drawn darker. */
const LEVELS: readonly number[] = [0, 0.2, 0.45, 0.75];

export type State = 'ok' | 'running' | 'failed' | 'cancelled';

/** An attempt that has a bar of its own. */
export interface Bar {
  index: number;
  state: State;
  x: number;
  y: number;
  width: number;
}

export interface Label {
  text: string;
  x: number;
  y: number;
  kind: 'name' | 'delay' | 'ahead' | 'more';
}

export interface Mark {
  shape: 'failed' | 'cancelled' | 'near';
  x: number;
  y: number;
}

/** Paths by what they mean. */
export type Line = 'wait' | 'arrow' | 'hint' | 'retry' | 'lit';

export interface Scene {
  bars: Bar[];
  labels: Label[];
  marks: Mark[];
  lines: Record<Line, string>;
  /** Heads of arrows, and of those that are lit. */
  heads: { arrow: string; lit: string };
  /** Requests by kind, as a strip in each bar that is as long as their share of the limit. */
  gauges: Record<Kind, string>;
  /** Heaps, the lightest first; and those with a failure. */
  heaps: string[];
  badHeaps: string;
  /** Hollow marks of what is scheduled. */
  ahead: string;
  /** Attempts in view, and how many of them are in heaps. */
  attempts: number;
  heaped: number;
  /** Up to which width bars were drawn as one, in pixels. */
  least: number;
}

/** How wide a heap is, in pixels. */
export function cellOf(least: number): number {
  return Math.max(CELL, least);
}

/** The middle of a lane. */
export function middle(lane: number): number {
  return TOP + lane * LANE + LANE / 2;
}

/** How wide a text will be; a little more than it is. */
export function breadth(text: string): number {
  let wide = 0;
  for (const character of text) {
    wide += character < '\u0250' ? 6.3 : 11.5;
  }
  return wide;
}

/**
 * What is drawn of the attempts in view.
 *
 * @param lit - Those of which the arrows stand out.
 */
export function compose(journal: Journal, lanes: Lanes, view: Viewport, lit: readonly number[]): Scene {
  for (let least = LEAST; ; least *= 2) {
    const scene = new Composer(journal, lanes, view, lit, least).compose();
    if (scene.bars.length <= MOST || least > view.width) {
      return scene;
    }
  }
}

interface Placed extends Bar {
  lane: number;
  place: number;
}

class Composer {
  private readonly bars: Placed[] = [];
  private readonly labels: Label[] = [];
  private readonly marks: Mark[] = [];
  private readonly lines: Record<Line, string[]> = { wait: [], arrow: [], hint: [], retry: [], lit: [] };
  private readonly heads: Record<'arrow' | 'lit', string[]> = { arrow: [], lit: [] };
  private readonly gauges = new Map<Kind, string[]>(KINDS.map(kind => [kind, []]));
  private readonly heaps: string[][] = LEVELS.map(() => []);
  private readonly badHeaps: string[] = [];
  private heaped = 0;
  private readonly lastMark: number[] = [];
  /** Hints of arrows, by where they come from. */
  private readonly fans = new Map<number, string[]>();

  constructor(
    private readonly journal: Journal,
    private readonly lanes: Lanes,
    private readonly view: Viewport,
    private readonly pointed: readonly number[],
    private readonly least: number
  ) {}

  compose(): Scene {
    this.lanes.all.forEach((lane, number) => this.walk(lane, number));
    if (this.bars.length <= MOST) {
      this.decorate();
    }
    for (const fan of this.fans.values()) {
      this.lines.hint.push(...(fan.length <= FAN ? fan : []));
    }
    const gauges = Object.fromEntries([...this.gauges].map(([kind, parts]) => [kind, parts.join('')]));
    const lines = Object.fromEntries(
      Object.entries(this.lines).map(([line, parts]) => [line, parts.join('')])
    );
    return {
      bars: this.bars,
      labels: this.labels,
      marks: this.marks,
      lines: lines as Record<Line, string>,
      heads: { arrow: this.heads.arrow.join(''), lit: this.heads.lit.join('') },
      gauges: gauges as Record<Kind, string>,
      heaps: this.heaps.map(parts => parts.join('')),
      badHeaps: this.badHeaps.join(''),
      ahead: '',
      attempts: this.bars.length + this.heaped,
      heaped: this.heaped,
      least: this.least
    };
  }

  private walk(lane: Lane, number: number): void {
    const { view } = this;
    const pixel = view.span / view.width;
    const y = round(middle(number) - BAR / 2);
    let open = null as { level: number; from: number; to: number } | null;
    const close = (): void => {
      if (open) {
        this.heaps[open.level]?.push(rect(open.from, y, Math.max(open.to - open.from, LEAST), BAR));
        open = null;
      }
    };
    const many = (heap: Heap): void => {
      const from = view.x(heap.from);
      // A gap of less than a pixel would only flicker.
      const next = lane.starts[heap.last] ?? Infinity;
      const to = Math.max(view.x(next - heap.to < LEAST * pixel ? next : heap.to), from + LEAST);
      this.heaped += heap.last - heap.first;
      if (heap.failed > 0) {
        this.badHeaps.push(rect(from, y, to - from, BAR));
        this.mark(number, 'failed', (from + to) / 2, -BAR / 2 - 2);
        return;
      }
      const level = LEVELS.reduce((found, share, at) => (heap.busy >= share ? at : found), 0);
      if (open && open.level === level && from - open.to < 0.5) {
        open.to = to;
      } else {
        close();
        open = { level, from, to };
      }
    };
    const one = (place: number): void => {
      const index = lane.items[place] as number;
      const from = view.x(lane.starts[place] as number);
      const end = lane.ends[place] as number;
      const to = view.x(end === Infinity ? Math.max(this.journal.now, lane.starts[place] as number) : end);
      const width = Math.max(to - from, 1.5);
      this.bars.push({ index, state: this.stateOf(index), x: from, y, width, lane: number, place });
    };
    lane.walk(view.from, view.to, this.least * pixel, cellOf(this.least) * pixel, one, many);
    close();
    // What begins behind the view may have waited in it.
    const next = lane.after(view.to);
    const item = lane.items[next];
    if (item !== undefined && (lane.starts[next] as number) > view.to) {
      const since = waitedSince(this.journal, item);
      if (since !== null && since < view.to) {
        one(next);
      }
    }
  }

  private stateOf(index: number): State {
    if (!this.journal.failedAt(index)) {
      return this.journal.runningAt(index) ? 'running' : 'ok';
    }
    return this.journal.attempt(index).outcome === 'cancelled' ? 'cancelled' : 'failed';
  }

  /** Arrows, names and marks: as many as there is room for. */
  private decorate(): void {
    const room = this.bars.length;
    for (const bar of this.bars) {
      const { index, lane, state } = bar;
      const ended = bar.x + bar.width;
      const shape =
        state === 'failed' || state === 'cancelled' ? state : this.journal.nearAt(index) ? 'near' : null;
      let behind = ended;
      let inner = ended;
      if (shape !== null) {
        const tight = this.nextStart(bar) - ended < 20;
        if (!tight) {
          behind += this.mark(lane, shape, ended + 7) ? 13 : 0;
        } else if (bar.width >= 30) {
          inner -= this.mark(lane, shape, ended - 8) ? 14 : 0;
        } else {
          this.mark(lane, shape, (bar.x + ended) / 2, -BAR / 2);
        }
      }
      if (room <= HINTS) {
        this.connect(bar, room <= ARROWS);
      }
      if (this.labels.length < LABELS) {
        this.name(bar, inner, room <= ARROWS ? behind : Infinity);
      }
      if (bar.width >= 14 && room <= ARROWS) {
        this.gauge(bar);
      }
    }
  }

  private connect(bar: Placed, roomy: boolean): void {
    const { journal, view, lanes } = this;
    const { index, lane, place } = bar;
    const cause = journal.causeOf(index);
    const previous = journal.previousOf(index);
    const started = journal.startedAt(index);
    const since = waitedSince(this.journal, index);
    if (since === null) {
      return;
    }
    const free = (lanes.all[lane] as Lane).endBefore(place);
    const y = middle(lane);
    const lit = this.pointed.includes(index) || (cause >= 0 && this.pointed.includes(cause));
    if (previous >= 0) {
      const clear = previous >= 0 && lanes.of(previous) === lane && free <= since;
      const from = clear
        ? `M${round(view.x(since))} ${y}`
        : `M${round(view.x(since))} ${middle(lanes.of(previous))}V${y}`;
      this.lines[lit ? 'lit' : 'retry'].push(`${from}H${round(bar.x)}`);
      this.delay(view.x(since) + (journal.failedAt(previous) ? 14 : 0), bar.x, y, started - since);
      return;
    }
    const x = view.x(since);
    if (cause < 0) {
      this.wait(Math.max(x, view.x(Math.max(free, since))), bar.x, y, lit);
      return;
    }
    const above = lanes.of(cause);
    const from = middle(above) + (above < lane ? BAR / 2 : above > lane ? -BAR / 2 : 0);
    const follows = (lanes.all[lane] as Lane).items[place - 1] === cause;
    if (follows) {
      this.lines[lit ? 'lit' : roomy ? 'arrow' : 'hint'].push(
        `M${round(Math.max(x, view.x(free)))} ${y}H${round(bar.x)}`
      );
    } else if (free > since + (view.span / view.width) * 2) {
      // Others ran in its lane while it waited: the way there is only hinted at.
      this.wait(Math.max(view.x(free), bar.x - 12), bar.x, y, lit);
      const bend = clamp((bar.x - x) / 2, 8, 40);
      const bends = `${round(x)} ${round((from + y) / 2)} ${round(bar.x - bend)} ${y}`;
      const d = `M${round(x)} ${round(from)}C${bends} ${round(bar.x)} ${y}`;
      if (lit) {
        this.lines.lit.push(d);
      } else {
        this.fans.set(cause, [...(this.fans.get(cause) ?? []), d]);
      }
    } else {
      const bend = above === lane ? 0 : clamp(bar.x - x, 0, 4);
      const turn = above < lane ? -bend : bend;
      const stem =
        above === lane ? '' : `V${round(y + turn)}q0 ${round(-turn)} ${round(bend)} ${round(-turn)}`;
      const kind = lit ? 'lit' : roomy ? 'arrow' : 'hint';
      this.lines[kind].push(`M${round(x)} ${round(from)}${stem}H${round(bar.x)}`);
    }
    if ((roomy || lit) && bar.x - Math.max(x, view.x(free)) >= 7) {
      this.heads[lit ? 'lit' : 'arrow'].push(`M${round(bar.x)} ${y}l-5.5 -3v6z`);
    }
  }

  private wait(from: number, to: number, y: number, lit: boolean): void {
    if (to - from >= 1) {
      this.lines[lit ? 'lit' : 'wait'].push(`M${round(from)} ${y}H${round(to)}`);
    }
  }

  private delay(from: number, to: number, y: number, ms: number): void {
    const text = duration(ms);
    const wide = breadth(text);
    if (to - from > wide + 12 && this.labels.length < LABELS) {
      this.labels.push({ text, x: round((from + to - wide) / 2), y: y - 3, kind: 'delay' });
    }
  }

  /** In the bar, else behind it, else before it. */
  private name(bar: Placed, inner: number, behind: number): void {
    const { journal, view } = this;
    const number = `#${journal.numberAt(bar.index)}`;
    const first = journal.previousOf(bar.index) < 0;
    const texts = [
      first ? `${journal.methodAt(bar.index)} ${number}` : journal.attempt(bar.index).label,
      number
    ];
    const seen = Math.min(inner, view.width) - Math.max(bar.x, 0);
    const y = round(bar.y + BASE + 0.5);
    const put = (text: string, x: number, y: number): void => {
      this.labels.push({ text, x: round(x), y, kind: 'name' });
    };
    const inside = texts.findIndex(text => breadth(text) + 8 <= seen);
    const room = this.roomBehind(bar);
    const after = texts.findIndex(text => breadth(text) + 10 <= room.until - behind);
    if (inside >= 0 && (after < 0 || inside <= after)) {
      put(texts[inside] as string, Math.max(bar.x, 0) + 5, y);
    } else if (after >= 0) {
      const text = texts[after] as string;
      put(text, behind + 4, behind + 4 + breadth(text) > room.line ? middle(bar.lane) - 3 : y);
    }
  }

  /** Up to where a name may go in its lane, and from where it would stand on a line. */
  private roomBehind(bar: Placed): { until: number; line: number } {
    const { journal, view } = this;
    const end = bar.x + bar.width;
    const next = this.lanes.all[bar.lane]?.items[bar.place + 1];
    const start = this.nextStart(bar);
    if (next === undefined) {
      return { until: view.width, line: Infinity };
    }
    const previous = journal.previousOf(next);
    if (previous === bar.index) {
      // The middle of this line says how long it was.
      return { until: (end + start) / 2 - 30, line: end };
    }
    const since = waitedSince(this.journal, next);
    return {
      until: Math.min(start - ROOM_FOR_HEAD, view.width),
      line: since === null ? Infinity : view.x(since)
    };
  }

  private nextStart(bar: Placed): number {
    const started = this.lanes.all[bar.lane]?.starts[bar.place + 1];
    return started === undefined ? this.view.width + ROOM_FOR_HEAD : this.view.x(started);
  }

  private gauge(bar: Bar): void {
    const limit = Math.max(this.journal.limits.requests, 1);
    const inner = bar.width - 2;
    let x = bar.x + 1;
    for (const [kind, number] of this.journal.spentAt(bar.index)) {
      const width = Math.min((inner * number) / limit, bar.x + 1 + inner - x);
      if (width > 0) {
        this.gauges.get(kind)?.push(rect(x, bar.y + BAR - GAUGE - 1, width, GAUGE));
        x += width;
      }
    }
  }

  /** A mark, unless there is one so close to it that it would hide it. */
  private mark(lane: number, shape: Mark['shape'], x: number, up = 0): boolean {
    const last = this.lastMark[lane];
    if (last !== undefined && Math.abs(x - last) < 11) {
      return false;
    }
    this.lastMark[lane] = x;
    this.marks.push({ shape, x: round(clamp(x, 5, this.view.width + 3)), y: middle(lane) + up });
    return true;
  }
}

/** What a heap has to say. */
export function heapWords(heap: Heap): string {
  const attempts = counted(heap.last - heap.first, 'attempt');
  return heap.failed > 0 ? `${attempts}, ${count(heap.failed)} failed` : `${attempts}, none failed`;
}

/** A box, as a part of a path. */
export function rect(x: number, y: number, width: number, height: number): string {
  return `M${round(x)} ${round(y)}h${round(width)}v${height}h${round(-width)}z`;
}

/** To a tenth of a pixel: what is exact beyond that only makes paths long. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
