/** The pictures as a Jupyter widget: for VS Code and Colab, and inside of other widgets anywhere. */

import type { Channel } from './charts/link';
import { mount } from './charts/picture';
import type { Answer, Ask, Picture } from './charts/wire';

/** What anywidget gives; `picture` is the trait of that name in Python. */
interface Model {
  get(name: 'picture'): Picture;
  on(event: string, heard: (...given: never[]) => void): void;
  off(event: string, heard: (...given: never[]) => void): void;
  send(content: unknown): void;
}

function channel(model: Model): Channel {
  const undo: (() => void)[] = [];
  const listen = (event: string, heard: (...given: never[]) => void): (() => void) => {
    model.on(event, heard);
    const stop = (): void => model.off(event, heard);
    undo.push(stop);
    return stop;
  };
  return {
    send: (ask: Ask) => model.send(ask),
    onAnswer: heard => listen('msg:custom', (answer: Answer) => heard(answer)),
    onClosed: closed => listen('comm_live_update', () => closed()),
    dispose: () => undo.splice(0).forEach(stop => stop())
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const mounted = mount(el, model.get('picture'), channel(model), {
    follow: true,
    trusted: () => true,
    save: () => undefined
  });
  return () => mounted.dispose();
}

export default { render };
