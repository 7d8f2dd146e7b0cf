/** Asks the kernel on behalf of one picture, and puts what it answers into the picture's journal. */

import type { Kernel } from './chart';
import { Journal } from './journal';
import type { Answer, Ask, Cursor, Picture, StateTable } from './wire';

/** A way to the kernel and back: a comm of JupyterLab's, or a widget's model. */
export interface Channel {
  send(ask: Ask): void;
  onAnswer(heard: (answer: Answer) => void): () => void;
  /** The kernel is gone, or was restarted. */
  onClosed(closed: () => void): () => void;
  dispose(): void;
}

/** What a picture's owner does with what the kernel says. */
export interface Ears {
  trusted(): boolean;
  /** The picture as it ended, for the document to keep. */
  picture(picture: Picture): void;
  selected(id: number | null): void;
}

/** Rows come until they are told again that somebody looks: the kernel cannot see a page that was closed. */
const PUSHES_PER_FOLLOW = 25;

/** How often rows that were lost at the very end are asked for. */
const MISSED = 5;

const NO_KERNEL =
  'The kernel that ran this is not connected, and a saved picture does not hold it: run the cell again.';

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

export class Link implements Kernel {
  private readonly view = Math.random().toString(36).slice(2, 12);
  private readonly waiting = new Map<number, Waiting>();
  private readonly changed = new Set<() => void>();
  private readonly undo: (() => void)[] = [];
  private asked = 0;
  private pushes = 0;
  private missed = 0;
  /** Whether rows were asked for. */
  following = false;
  hasShown = false;
  private open: boolean;

  constructor(
    private readonly journal: Journal,
    private readonly channel: Channel | null,
    private readonly ears: Ears
  ) {
    this.open = channel !== null;
    if (channel !== null) {
      this.undo.push(channel.onAnswer(answer => this.hear(answer)));
      this.undo.push(channel.onClosed(() => this.close()));
    }
  }

  get live(): boolean {
    return this.open;
  }

  get trusted(): boolean {
    return this.ears.trusted();
  }

  subscribe(changed: () => void): () => void {
    this.changed.add(changed);
    return () => this.changed.delete(changed);
  }

  /** The kernel has shown the picture. */
  show(): void {
    if (!this.hasShown) {
      this.hasShown = true;
      this.changed.forEach(changed => changed());
    }
  }

  /** Have the kernel send what happens from now on, and what happened since the journal's last row. */
  follow(): void {
    const isNew = !this.following;
    this.following = true;
    this.pushes = 0;
    this.send({ ask: 'follow', view: this.view, after: this.journal.cursor, running: this.journal.unfinished() });
    if (isNew) {
      this.changed.forEach(changed => changed());
    }
  }

  select(id: number | null): void {
    this.send({ ask: 'select', view: this.view, id });
  }

  async detail(id: number): Promise<void> {
    const answer = await this.request(number => ({ ask: 'detail', view: this.view, number, id }));
    if ('detail' in answer) {
      this.journal.addDetail(answer.detail, answer.source);
    }
  }

  async values(ids: number[]): Promise<Map<number, string>> {
    const answer = await this.request(number => ({ ask: 'values', view: this.view, number, ids }));
    return new Map('values' in answer ? answer.values.map(value => [value.id, value.text]) : []);
  }

  async state(): Promise<StateTable[]> {
    const answer = await this.request(number => ({ ask: 'state', view: this.view, number }));
    return 'state' in answer ? answer.state : [];
  }

  async write(twist: string, key: string, text: string | null): Promise<void> {
    await this.request(number => ({ ask: 'write', view: this.view, number, twist, key, text }));
    if (!this.following || !this.journal.running) {
      this.follow();
    }
  }

  dispose(): void {
    if (this.following || this.asked > 0) {
      this.send({ ask: 'close', view: this.view });
    }
    this.undo.splice(0).forEach(undo => undo());
    this.close();
    this.changed.clear();
  }

  private request(ask: (number: number) => Ask): Promise<Answer> {
    if (!this.open) {
      return Promise.reject(new Error(NO_KERNEL));
    }
    const number = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.send(ask(number));
    });
  }

  private send(ask: Ask): void {
    if (this.open) {
      this.channel?.send(ask);
    }
  }

  private hear(answer: Answer): void {
    if (answer.view !== null && answer.view !== this.view) {
      return;
    }
    if ('rows' in answer) {
      this.take(answer);
    } else if ('picture' in answer) {
      this.ears.picture(answer.picture);
    } else if ('selected' in answer) {
      this.ears.selected(answer.selected);
    } else if ('gone' in answer) {
      this.close();
    } else {
      const waiting = this.waiting.get(answer.number);
      this.waiting.delete(answer.number);
      if ('error' in answer) {
        waiting?.reject(new Error(answer.error));
      } else {
        waiting?.resolve(answer);
      }
    }
  }

  private take({ rows }: Extract<Answer, { rows: unknown }>): void {
    if (rows.from !== null && isBeyond(rows.from, this.journal.cursor)) {
      this.follow();
      return;
    }
    this.journal.apply(rows);
    this.pushes += 1;
    if (rows.running) {
      this.missed = 0;
    }
    if (rows.running ? this.pushes >= PUSHES_PER_FOLLOW : this.missesAnEnd()) {
      this.follow();
    }
  }

  /**
   * Whether an attempt has no end here though nothing runs any more. Its row may have been lost, which no cursor
   * shows: it is an old row that changed. What has no end for the kernel either is not asked for again and again.
   */
  private missesAnEnd(): boolean {
    this.missed += 1;
    return this.missed <= MISSED && this.journal.unfinished().length > 0;
  }

  private close(): void {
    if (!this.open) {
      return;
    }
    this.open = false;
    for (const { reject } of this.waiting.values()) {
      reject(new Error(NO_KERNEL));
    }
    this.waiting.clear();
    this.changed.forEach(changed => changed());
  }
}

/** Whether rows begin after the last row that is here: some were lost on the way. */
function isBeyond(from: Cursor, here: Cursor): boolean {
  return from.attempt > here.attempt || from.write > here.write;
}
