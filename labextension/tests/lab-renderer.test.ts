import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Channel } from '../src/charts/link';
import type { Options } from '../src/charts/picture';
import { MIME_TYPE } from '../src/charts/wire';
import type { Picture } from '../src/charts/wire';
import type { Session } from '../src/lab/comm';
import { Heard } from '../src/lab/heard';
import type { Spoken } from '../src/lab/heard';
import { keepKeys } from '../src/lab/keys';
import { RenderedPicture } from '../src/lab/renderer';

interface Drawn {
  element: HTMLElement;
  picture: Picture;
  channel: Channel | null;
  options: Options;
  updates: Picture[];
  follows: number;
  disposed: boolean;
}

const drawn = vi.hoisted((): Drawn[] => {
  // JupyterLab's widgets extend it, and jsdom has none.
  Object.assign(globalThis, { DragEvent: MouseEvent });
  return [];
});

vi.mock('../src/charts/picture', () => ({
  mount(element: HTMLElement, picture: Picture, channel: Channel | null, options: Options) {
    if (picture === null) {
      throw new TypeError('<b>no picture</b>\u202e');
    }
    const one: Drawn = { element, picture, channel, options, updates: [], follows: 0, disposed: false };
    drawn.push(one);
    element.append('drawn');
    return {
      update: (next: Picture) => one.updates.push(next),
      follow: () => {
        one.follows += 1;
      },
      dispose: () => {
        one.disposed = true;
      }
    };
  }
}));

/** As JupyterLab's: what is set is what is read. */
class Model {
  constructor(
    public data: Record<string, unknown>,
    readonly trusted = true
  ) {}
  setData(options: { data: Record<string, unknown> }): void {
    this.data = options.data;
  }
  get asModel(): IRenderMime.IMimeModel {
    return this as unknown as IRenderMime.IMimeModel;
  }
}

class FakeSession {
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, unknown>(this);
  readonly ready = Promise.resolve();
  isDisposed = false;
  session: { kernel: object } | null = { kernel: {} };
  get asSession(): Session {
    return this as unknown as Session;
  }
}

/** An output with a picture: as a notebook holds it, in one text. */
const picture = (source: string | null, more: object = {}): Model =>
  new Model({
    [MIME_TYPE]: JSON.stringify({ format: 1, source, rows: {}, ...more }),
    'text/plain': 'words',
    'text/html': '<p>'
  });

const show = (
  model: Model,
  session: FakeSession | null = new FakeSession(),
  heard: Heard | null = null
): RenderedPicture => {
  const widget = new RenderedPicture(session?.asSession ?? null, heard);
  void widget.renderModel(model.asModel);
  return widget;
};

const only = (): Drawn => {
  expect(drawn).toHaveLength(1);
  return drawn[0] as Drawn;
};

beforeEach(() => {
  drawn.length = 0;
});

describe('a picture among the outputs', () => {
  it('is drawn with a way to the kernel that made it', () => {
    const widget = show(picture('run-1'));
    expect(only().element).toBe(widget.node);
    expect(only().channel).not.toBeNull();
    expect(only().options.follow).toBe(false);
  });

  it.each([
    ['that no kernel answers for', picture(null), new FakeSession()],
    ['whose source is no text', picture(5 as unknown as string), new FakeSession()],
    ['outside of a notebook', picture('run-1'), null]
  ])('asks nobody %s', (_, model, session) => {
    show(model, session);
    expect(only().channel).toBeNull();
  });

  it('is brought up to date where it is, as long as it is of the same run', () => {
    const widget = show(picture('run-1'));
    void widget.renderModel(picture('run-1', { title: 'next' }).asModel);
    expect(only().updates.map(({ title }) => title)).toEqual(['next']);
    void widget.renderModel(picture('run-2').asModel);
    expect(drawn.map(({ disposed }) => disposed)).toEqual([true, false]);
  });

  it('is drawn anew when the notebook becomes trusted', () => {
    const widget = show(new Model(picture('run-1').data, false));
    expect(drawn[0]?.options.trusted()).toBe(false);
    void widget.renderModel(picture('run-1').asModel);
    expect(drawn[1]?.options.trusted()).toBe(true);
  });

  it('keeps what it is told to in the document, beside the forms that are there', () => {
    const model = picture('run-1');
    show(model);
    only().options.save({ ...only().picture, title: 'ended' });
    expect(model.data).toEqual(picture('run-1', { title: 'ended' }).data);
  });

  it('can be shown twice', () => {
    const session = new FakeSession();
    const model = picture('run-1');
    const first = show(model, session);
    show(model, session);
    first.dispose();
    expect(drawn.map(({ disposed }) => disposed)).toEqual([true, false]);
    expect(drawn[0]?.channel).not.toBe(drawn[1]?.channel);
  });

  it('follows the kernel that a notebook without one is given', async () => {
    const session = new FakeSession();
    session.session = null;
    show(picture('run-1', { rows: { running: true } }), session);
    await new Promise(resolve => setTimeout(resolve));
    session.session = { kernel: {} };
    session.kernelChanged.emit({ oldValue: null, newValue: {} });
    expect(drawn.map(({ disposed }) => disposed)).toEqual([true, false]);
  });

  it('has nothing left of it once it is gone', () => {
    const session = new FakeSession();
    const model = picture('run-1');
    const widget = show(model, session);
    widget.dispose();
    widget.dispose();
    expect(only().disposed).toBe(true);
    expect(widget.node.childNodes).toHaveLength(0);
    only().options.save(only().picture);
    session.kernelChanged.emit({ oldValue: {}, newValue: {} });
    only();
  });

  it.each([{}, { [MIME_TYPE]: '{"format": 1' }])('says in text what it cannot draw, and draws the next: %j', data => {
    const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const widget = show(new Model(data));
    expect(widget.node.textContent).toContain('This picture cannot be drawn: TypeError: <b>no picture</b>');
    expect(widget.node.textContent).not.toContain('\u202e');
    expect(widget.node.querySelector('b')).toBeNull();
    void widget.renderModel(picture('run-1').asModel);
    expect(widget.node.textContent).toBe('drawn');
    silent.mockRestore();
  });
});

describe('the keys of a picture', () => {
  const SUPPRESSED = 'data-lm-suppress-shortcuts';
  // JupyterLab looks for a shortcut from the target on outwards, as far as the first element with it.
  const pressed = (target: Element, init: KeyboardEventInit): boolean => {
    const stop = keepKeys(window);
    target.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, ...init }));
    stop();
    const kept = [target, target.closest('.pnb')].map(element => element?.hasAttribute(SUPPRESSED) ?? false);
    expect(kept[0]).toBe(kept[1]);
    return kept[0] as boolean;
  };

  function page(): { outside: HTMLElement; chart: HTMLElement; field: HTMLElement } {
    const [picture, outside, chart] = [document.createElement('div'), document.createElement('p'), document.createElement('p')];
    const field = document.createElement('input');
    picture.className = 'pnb';
    picture.setAttribute(SUPPRESSED, 'true');
    picture.append(chart, field);
    document.body.replaceChildren(outside, picture);
    return { outside, chart, field };
  }

  it.each(['ArrowDown', 'Enter', 'd', 'Escape'])('do nothing to the notebook: %s', key => {
    const { outside, chart, field } = page();
    expect([chart, field, outside].map(target => pressed(target, { key }))).toEqual([true, true, false]);
  });

  it.each([{ ctrlKey: true }, { metaKey: true }])('save the notebook, from a text field too: %j', held => {
    const { chart, field } = page();
    expect([chart, field].map(target => pressed(target, { key: 's', ...held }))).toEqual([false, false]);
  });

  it('are chords of JupyterLab, but from a text field', () => {
    const { chart, field } = page();
    expect([chart, field].map(target => pressed(target, { key: 'C', ctrlKey: true, shiftKey: true }))).toEqual([false, true]);
    expect([chart, field].map(target => pressed(target, { key: 'Enter', ctrlKey: true }))).toEqual([true, true]);
  });
});

describe('what the kernel has shown', () => {
  const kernel = (): { heard: Heard; say: (kind: string, data: unknown) => void } => {
    const session = {} as { iopubMessage: Signal<object, unknown> };
    session.iopubMessage = new Signal<object, unknown>(session);
    return {
      heard: new Heard(session as unknown as Spoken),
      say: (kind, data) => session.iopubMessage.emit({ header: { msg_type: kind }, content: { data } })
    };
  };
  const bundle = (source: string): object => ({ [MIME_TYPE]: JSON.stringify({ format: 1, source }) });

  it.each(['display_data', 'execute_result', 'update_display_data'])('goes on by itself after %s', kind => {
    const { heard, say } = kernel();
    say(kind, bundle('key'));
    show(picture('key'), new FakeSession(), heard);

    expect(drawn[0]!.options.follow).toBe(true);
  });

  it('goes on by itself when it was drawn before it was heard of', () => {
    const { heard, say } = kernel();
    show(picture('key'), new FakeSession(), heard);
    show(picture('other'), new FakeSession(), heard);
    say('display_data', bundle('key'));

    expect(drawn.map(({ options, follows }) => [options.follow, follows])).toEqual([
      [false, 1],
      [false, 0]
    ]);
  });

  it('is not what a file says, nor a stream, nor what is no picture', () => {
    const { heard, say } = kernel();
    say('stream', bundle('key'));
    say('display_data', { 'text/plain': 'key' });
    say('display_data', { [MIME_TYPE]: '{' });
    show(picture('key'), new FakeSession(), heard);

    expect(drawn[0]!.options.follow).toBe(false);
  });
});
