/** Which pictures the kernel itself has shown since the page was loaded, other than those that a file came with. */

import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { MIME_TYPE } from '../charts/wire';
import { sourceOf } from './bundle';

/** What of a notebook's session is listened to. */
export type Spoken = Pick<NotebookPanel['sessionContext'], 'iopubMessage'>;

const SHOWS: ReadonlySet<string> = new Set(['display_data', 'execute_result', 'update_display_data']);

/**
 * A picture in a file may say anything of itself, so it asks the kernel for nothing before somebody clicks. What comes
 * from the kernel may go on by itself.
 */
export class Heard {
  private readonly sources = new Set<string>();
  private readonly signal = new Signal<this, string>(this);

  constructor(session: Spoken) {
    session.iopubMessage.connect((_, message) => {
      if (SHOWS.has(message.header.msg_type) && 'data' in message.content) {
        this.note(sourceOf((message.content.data as Record<string, unknown>)[MIME_TYPE]));
      }
    });
  }

  /** Emitted with the source of a picture, which may be on the page already. */
  get shown(): ISignal<this, string> {
    return this.signal;
  }

  has(source: string): boolean {
    return this.sources.has(source);
  }

  private note(source: string | null): void {
    if (source !== null) {
      this.sources.add(source);
      this.signal.emit(source);
    }
  }
}
