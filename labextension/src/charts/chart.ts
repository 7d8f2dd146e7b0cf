/** What every chart has in common. */

import type { Journal } from './journal';
import type { Selection } from './selection';
import type { StateTable } from './wire';

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
  /** Whether it has shown the picture itself, and not a file: then it may be asked without a click. */
  readonly hasShown?: boolean;
  /** Whether values may be changed: not in a picture that somebody else has saved. */
  readonly trusted: boolean;
  /** Puts all about an attempt into the journal; rejects with an Error that says why not. */
  detail(id: number): Promise<void>;
  /** The superjson texts of writes. */
  values(ids: number[]): Promise<Map<number, string>>;
  /** What the runtime holds at this moment. */
  state(): Promise<StateTable[]>;
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
  const undo = [context.journal.subscribe(request), context.selection.subscribe(request)];
  if (typeof ResizeObserver !== 'undefined') {
    const observer = new ResizeObserver(request);
    observer.observe(host);
    undo.push(() => observer.disconnect());
  }
  const dispose = drawing.dispose.bind(drawing);
  drawing.dispose = () => {
    undo.forEach(end => end());
    dispose();
  };
  drawing.request();
  return drawing;
}
