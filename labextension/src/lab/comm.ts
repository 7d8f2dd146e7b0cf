/** A comm to the notebook's kernel, opened when there is something to say. */

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

import type { Channel } from '../charts/link';
import { COMM_TARGET } from '../charts/wire';
import type { Answer, Ask } from '../charts/wire';

/** What of a notebook's session a comm needs. */
export type Session = Pick<
  NotebookPanel['sessionContext'],
  'ready' | 'session' | 'kernelChanged' | 'statusChanged' | 'isDisposed'
>;

/** Where a kernel forgets its comms. */
const FORGETS: ReadonlySet<Kernel.Status> = new Set(['restarting', 'autorestarting', 'terminating', 'dead']);

/** Since JupyterLab 4.4 a comm may have a thread of the kernel to itself; its interface does not tell when it has. */
type Comm = Kernel.IComm & { readonly subshellStarted?: Promise<void> };

/**
 * Wait for the comm's own thread, where the kernel has threads for comms. What is sent before goes to the thread that
 * runs cells: it would wait for the cell, and what is sent after would come before it. A kernel whose cell has run
 * since before the page was loaded has not told yet what it has; it is not waited for.
 */
async function ownThread(kernel: Kernel.IKernelConnection, comm: Comm): Promise<void> {
  if (kernel.supportsSubshells && kernel.commsOverSubshells !== 'disabled') {
    await comm.subshellStarted?.catch(() => undefined);
  }
}

export class CommChannel implements Channel {
  private readonly heard = new Set<(answer: Answer) => void>();
  private readonly closed = new Set<() => void>();
  /** What is to be sent once the comm is open. */
  private waiting: Ask[] | null = null;
  private comm: Comm | null = null;
  private over = false;

  constructor(
    private readonly session: Session,
    private readonly source: string
  ) {
    session.kernelChanged.connect(this.onKernel, this);
    session.statusChanged.connect(this.onStatus, this);
    void this.whenReady();
  }

  /** Whether it will never bring anything again. */
  get isClosed(): boolean {
    return this.over;
  }

  send(ask: Ask): void {
    if (this.over) {
      return;
    }
    if (this.comm !== null) {
      this.say(this.comm, ask);
    } else if (this.waiting !== null) {
      this.waiting.push(ask);
    } else {
      this.waiting = [ask];
      this.open().catch(() => this.close());
    }
  }

  onAnswer(heard: (answer: Answer) => void): () => void {
    this.heard.add(heard);
    return () => this.heard.delete(heard);
  }

  onClosed(closed: () => void): () => void {
    this.closed.add(closed);
    return () => this.closed.delete(closed);
  }

  dispose(): void {
    this.closed.clear();
    this.heard.clear();
    this.close();
  }

  /** Without a kernel there is nobody to ask, and a picture may know. */
  private async whenReady(): Promise<void> {
    await this.session.ready;
    if (!this.session.isDisposed && !this.session.session?.kernel) {
      this.close();
    }
  }

  private async open(): Promise<void> {
    await this.session.ready;
    const kernel = this.session.session?.kernel;
    if (this.over || !kernel) {
      this.close();
      return;
    }
    const comm: Comm = kernel.createComm(COMM_TARGET);
    comm.onMsg = message => this.hear(message.content.data as unknown as Answer);
    comm.onClose = () => this.close();
    await ownThread(kernel, comm);
    if (this.over) {
      comm.dispose();
      return;
    }
    comm.open({ source: this.source });
    this.comm = comm;
    for (const ask of this.waiting?.splice(0) ?? []) {
      this.say(comm, ask);
    }
  }

  private say(comm: Comm, ask: Ask): void {
    if (comm.isDisposed) {
      this.close();
      return;
    }
    comm.send(ask as unknown as JSONObject);
  }

  private hear(answer: Answer): void {
    for (const heard of [...this.heard]) {
      heard(answer);
    }
  }

  private onKernel(_: unknown, { oldValue }: { oldValue?: unknown }): void {
    // The first kernel is what was waited for.
    if (oldValue) {
      this.close();
    }
  }

  private onStatus(_: unknown, status: Kernel.Status): void {
    if (FORGETS.has(status)) {
      this.close();
    }
  }

  private close(): void {
    if (this.over) {
      return;
    }
    this.over = true;
    this.waiting = null;
    this.session.kernelChanged.disconnect(this.onKernel, this);
    this.session.statusChanged.disconnect(this.onStatus, this);
    const comm = this.comm;
    this.comm = null;
    if (comm !== null && !comm.isDisposed) {
      try {
        comm.close();
      } catch {
        // The kernel went first.
        comm.dispose();
      }
    }
    for (const closed of [...this.closed]) {
      closed();
    }
  }
}
