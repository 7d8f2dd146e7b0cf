import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { describe, expect, it } from 'vitest';

import type { Answer, Ask } from '../src/charts/wire';
import { COMM_TARGET } from '../src/charts/wire';
import { CommChannel } from '../src/lab/comm';
import type { Session } from '../src/lab/comm';

/** A kernel's side of a comm, which writes down what it gets. */
class FakeComm {
  readonly got: unknown[] = [];
  isDisposed = false;
  subshellStarted: Promise<void> = Promise.resolve();
  onMsg: (message: unknown) => void = () => undefined;
  onClose: (message: unknown) => void = () => undefined;

  open(data: unknown): void {
    this.got.push(['open', data]);
  }
  send(data: unknown): void {
    this.got.push(['send', data]);
  }
  close(): void {
    this.got.push(['close']);
    this.onClose({});
    this.dispose();
  }
  dispose(): void {
    this.isDisposed = true;
  }
  answer(data: unknown): void {
    this.onMsg({ content: { data } });
  }
}

class FakeKernel {
  readonly comms: FakeComm[] = [];
  readonly targets: string[] = [];
  supportsSubshells = true;
  commsOverSubshells = 'perCommTarget';
  next = new FakeComm();

  createComm(target: string): FakeComm {
    this.targets.push(target);
    this.comms.push(this.next);
    return this.next;
  }
}

class FakeSession {
  isDisposed = false;
  readonly kernelChanged = new Signal<this, { oldValue: unknown; newValue: unknown }>(this);
  readonly statusChanged = new Signal<this, Kernel.Status>(this);
  ready: Promise<void> = Promise.resolve();
  session: { kernel: FakeKernel } | null;

  constructor(readonly kernel = new FakeKernel()) {
    this.session = { kernel };
  }
  get asSession(): Session {
    return this as unknown as Session;
  }
}

const ASK: Ask = { ask: 'select', view: 'v', id: 1 };
const OTHER: Ask = { ask: 'select', view: 'v', id: 2 };
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

function opened(session = new FakeSession()): { session: FakeSession; channel: CommChannel; closed: () => number } {
  const channel = new CommChannel(session.asSession, 'run-1');
  let closed = 0;
  channel.onClosed(() => {
    closed += 1;
  });
  return { session, channel, closed: () => closed };
}

describe('a channel over a comm', () => {
  it('opens none before there is something to say', async () => {
    const { session } = opened();
    await settled();
    expect(session.kernel.targets).toEqual([]);
  });

  it('opens one with its source, and says what waited in order', async () => {
    const { session, channel } = opened();
    channel.send(ASK);
    channel.send(OTHER);
    await settled();
    expect(session.kernel.targets).toEqual([COMM_TARGET]);
    expect(session.kernel.next.got).toEqual([
      ['open', { source: 'run-1' }],
      ['send', ASK],
      ['send', OTHER]
    ]);
  });

  it('waits for the kernel of a session that is starting', async () => {
    const session = new FakeSession();
    let start: () => void = () => undefined;
    session.ready = new Promise(resolve => (start = resolve));
    session.session = null;
    const { channel, closed } = opened(session);
    channel.send(ASK);
    await settled();
    session.session = { kernel: session.kernel };
    session.kernelChanged.emit({ oldValue: null, newValue: session.kernel });
    start();
    await settled();
    expect(session.kernel.next.got).toHaveLength(2);
    expect(closed()).toBe(0);
  });

  it('waits for the thread of its own that a kernel gives it', async () => {
    const session = new FakeSession();
    let start: () => void = () => undefined;
    session.kernel.next.subshellStarted = new Promise(resolve => (start = resolve));
    const { channel } = opened(session);
    channel.send(ASK);
    await settled();
    expect(session.kernel.next.got).toEqual([]);
    start();
    await settled();
    expect(session.kernel.next.got).toHaveLength(2);
  });

  it.each([
    ['the kernel has none', { supportsSubshells: false }],
    ['the user has turned them off', { commsOverSubshells: 'disabled' }]
  ])('waits for no thread where %s', async (_, kernel) => {
    const session = new FakeSession(Object.assign(new FakeKernel(), kernel));
    session.kernel.next.subshellStarted = new Promise(() => undefined);
    const { channel } = opened(session);
    channel.send(ASK);
    await settled();
    expect(session.kernel.next.got).toHaveLength(2);
  });

  it('brings what the kernel answers, until it is told not to', async () => {
    const { session, channel } = opened();
    const heard: Answer[] = [];
    const stop = channel.onAnswer(answer => heard.push(answer));
    channel.send(ASK);
    await settled();
    session.kernel.next.answer({ view: 'v', gone: true });
    stop();
    session.kernel.next.answer({ view: 'v', gone: true });
    expect(heard).toEqual([{ view: 'v', gone: true }]);
  });

  it.each(['restarting', 'autorestarting', 'terminating', 'dead'] as const)(
    'is closed for good by a kernel that is %s',
    async status => {
      const { session, channel, closed } = opened();
      channel.send(ASK);
      await settled();
      session.statusChanged.emit(status);
      session.statusChanged.emit(status);
      channel.send(OTHER);
      await settled();
      expect(channel.isClosed).toBe(true);
      expect(closed()).toBe(1);
      expect(session.kernel.next.got).not.toContainEqual(['send', OTHER]);
    }
  );

  it('is closed by another kernel, and by the kernel itself', async () => {
    const changed = opened();
    changed.session.kernelChanged.emit({ oldValue: {}, newValue: {} });
    expect(changed.closed()).toBe(1);

    const refused = opened();
    refused.channel.send(ASK);
    await settled();
    refused.session.kernel.next.onClose({});
    expect(refused.closed()).toBe(1);
  });

  it('is closed where there is no kernel', async () => {
    const session = new FakeSession();
    session.session = null;
    const { channel, closed } = opened(session);
    await settled();
    expect(channel.isClosed).toBe(true);
    expect(closed()).toBe(1);
  });

  it('is closed where the kernel allows no comms', async () => {
    const { session, channel, closed } = opened();
    session.kernel.createComm = () => {
      throw new Error('Comms are disabled on this kernel connection');
    };
    channel.send(ASK);
    await settled();
    expect(closed()).toBe(1);
  });

  it('tells the kernel when its picture is gone, and nobody else', async () => {
    const { session, channel, closed } = opened();
    channel.send(ASK);
    await settled();
    channel.dispose();
    channel.dispose();
    expect(session.kernel.next.got.at(-1)).toEqual(['close']);
    expect(session.kernel.next.isDisposed).toBe(true);
    expect(closed()).toBe(0);
    session.statusChanged.emit('dead');
    session.kernelChanged.emit({ oldValue: {}, newValue: {} });
  });

  it('leaves no comm behind when its picture goes while it opens', async () => {
    const session = new FakeSession();
    let start: () => void = () => undefined;
    session.kernel.next.subshellStarted = new Promise(resolve => (start = resolve));
    const { channel } = opened(session);
    channel.send(ASK);
    await settled();
    channel.dispose();
    start();
    await settled();
    expect(session.kernel.next.got).toEqual([]);
    expect(session.kernel.next.isDisposed).toBe(true);
  });

  it('outlives a kernel that cannot be told', async () => {
    const { session, channel } = opened();
    channel.send(ASK);
    await settled();
    session.kernel.next.close = () => {
      throw new Error('Kernel is dead');
    };
    channel.dispose();
    expect(session.kernel.next.isDisposed).toBe(true);
  });
});
