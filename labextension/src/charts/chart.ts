/** What every chart has in common. */

import { element } from './dom';
import type { Attempt, Journal } from './journal';
import type { Selection } from './selection';
import type { Kind } from './wire';

/** A part of a picture. */
export interface Chart {
  readonly element: HTMLElement;
  /** What it is called on a tab. */
  readonly name: string;
  /** Draw at the next frame. */
  redraw(): void;
  dispose(): void;
  /** What it shows, as rows for a CSV file. */
  table?(): Table;
  /** What it shows, complete and with its own colours, for a file; null where there is nothing. */
  svg?(): SVGSVGElement | null;
}

/** What a chart draws, and whom it asks. */
export interface Context {
  readonly journal: Journal;
  readonly selection: Selection;
  readonly kernel: Kernel;
}

/** What can be asked of the kernel. */
export interface Kernel {
  /** False in a saved picture without a kernel. */
  readonly live: boolean;
  /** Whether values may be changed: not in a picture that somebody else has saved. */
  readonly trusted: boolean;
  /** Puts all about an attempt into the journal; rejects with an Error that says why not. */
  detail(id: number): Promise<void>;
  /** The superjson texts of writes. */
  values(ids: number[]): Promise<Map<number, string>>;
  /** Write a key by hand; null deletes it. */
  write(twist: string, key: string, text: string | null): Promise<void>;
  /** Hear when `live` or `trusted` changes. */
  subscribe(changed: () => void): () => void;
}

export interface Table {
  name: string;
  columns: string[];
  rows: (string | number | null)[][];
}

/** For what is written into a file, which has no style sheet; in a picture `.pnb-kind-…` has the colours. */
export const KIND_COLOURS: Record<Kind, string> = {
  store: '#3b7fc4',
  network: '#2a9d8f',
  callbacks: '#8b6fc9',
  tasks: '#b8699f',
  plot: '#8a9a3b',
  other: '#8a8a8a'
};

export const OVER = '✕';
export const NEAR = '▲';

export const OK = '✓';
export const RUNNING = '▸';

const SHAPES: Record<string, string> = { ok: OK, running: RUNNING, cancelled: '○' };

/** The shape that stands before an outcome, so that it shows without its colour. */
export function shapeOf(attempt: Pick<Attempt, 'outcome' | 'over'>): string {
  return SHAPES[attempt.outcome] ?? OVER;
}

/** The class of an outcome's colour. */
export function outcomeClass(attempt: Pick<Attempt, 'outcome' | 'failed'>): string {
  return attempt.failed ? 'pnb-bad' : attempt.outcome === 'ok' ? 'pnb-ok' : 'pnb-running';
}

/** An outcome in shape, words and colour, with the line of the cell where it failed. */
export function outcomeElement(attempt: Attempt): HTMLElement {
  const at = attempt.failed && attempt.line !== null ? ` line ${attempt.line}` : '';
  return element(
    'span',
    { class: 'pnb-outcome' },
    element('span', { class: outcomeClass(attempt) }, `${shapeOf(attempt)} ${attempt.outcome}`),
    at
  );
}

/** Draws at most once a frame, and only what somebody can see. */
export class Drawing {
  private frame = 0;
  private visible = true;
  private disposed = false;
  private readonly observer: IntersectionObserver | null = null;

  /**
   * @param host What is drawn in: it is drawn again when it comes into view.
   * @param draw Draws all there is to see.
   */
  constructor(
    host: HTMLElement,
    private readonly draw: () => void
  ) {
    if (typeof IntersectionObserver !== 'undefined') {
      this.observer = new IntersectionObserver(entries => {
        this.visible = entries.some(entry => entry.isIntersecting);
        if (this.visible) {
          this.request();
        }
      });
      this.observer.observe(host);
    }
  }

  /** Draw at the next frame. */
  request(): void {
    if (this.disposed || this.frame || !this.visible) {
      return;
    }
    this.frame = requestAnimationFrame(() => this.now());
  }

  /** Draw at once. */
  now(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.disposed) {
      this.draw();
    }
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.frame);
    this.observer?.disconnect();
  }
}

/** A drawing that follows what a chart shows: the journal, the selection and its own size. */
export function follow(context: Context, host: HTMLElement, draw: () => void): Drawing {
  const drawing = new Drawing(host, draw);
  const request = (): void => drawing.request();
  const ends = [context.journal.subscribe(request), context.selection.subscribe(request)];
  if (typeof ResizeObserver !== 'undefined') {
    const observer = new ResizeObserver(request);
    observer.observe(host);
    ends.push(() => observer.disconnect());
  }
  const dispose = drawing.dispose.bind(drawing);
  drawing.dispose = () => {
    ends.forEach(end => end());
    dispose();
  };
  drawing.request();
  return drawing;
}
