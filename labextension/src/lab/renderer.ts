/** A picture among the outputs of a notebook. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { mount } from '../charts/picture';
import type { Mounted } from '../charts/picture';
import { line } from '../charts/text';
import { MIME_TYPE } from '../charts/wire';
import type { Picture } from '../charts/wire';
import { pictureOf, sourceOf } from './bundle';
import { CommChannel } from './comm';
import type { Session } from './comm';
import type { Heard } from './heard';

const CLASS = 'plot-nb-output';

export class RenderedPicture extends Widget implements IRenderMime.IRenderer {
  private model: IRenderMime.IMimeModel | null = null;
  private trusted = false;
  private source: string | null = null;
  private channel: CommChannel | null = null;
  private mounted: Mounted | null = null;

  /** `session` is that of the notebook around it, and what its kernel has shown; null where there is none. */
  constructor(
    private readonly session: Session | null,
    private readonly heard: Heard | null
  ) {
    super();
    this.addClass(CLASS);
    session?.kernelChanged.connect(this.onKernel, this);
    heard?.shown.connect(this.onShown, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    this.draw();
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.session?.kernelChanged.disconnect(this.onKernel, this);
    this.heard?.shown.disconnect(this.onShown, this);
    this.unmount();
    this.model = null;
    super.dispose();
  }

  private draw(): void {
    const picture = pictureOf(this.model?.data[MIME_TYPE]);
    try {
      if (this.mounted !== null && !this.isOther(picture)) {
        this.mounted.update(picture);
        return;
      }
      this.unmount();
      this.mount(picture);
    } catch (error) {
      // Whoever wrote the file may have written anything.
      this.unmount();
      console.error(error);
      const problem = document.createElement('p');
      problem.textContent = `This picture cannot be drawn: ${line(String(error), 200)}. Run the cell again.`;
      this.node.replaceChildren(problem);
    }
  }

  /** Whether it has to be drawn anew, not brought up to date. */
  private isOther(picture: Picture): boolean {
    return (
      sourceOf(picture) !== this.source ||
      (this.model?.trusted ?? false) !== this.trusted ||
      (this.channel?.isClosed ?? false)
    );
  }

  private mount(picture: Picture): void {
    this.source = sourceOf(picture);
    this.trusted = this.model?.trusted ?? false;
    this.channel =
      this.session === null || this.source === null ? null : new CommChannel(this.session, this.source);
    this.mounted = mount(this.node, picture, this.channel, {
      follow: this.source !== null && (this.heard?.has(this.source) ?? false),
      trusted: () => this.trusted,
      save: ended => this.save(ended)
    });
  }

  private unmount(): void {
    this.mounted?.dispose();
    this.mounted = null;
    this.channel?.dispose();
    this.channel = null;
    this.node.replaceChildren();
  }

  /** Keep a picture in the document, beside the output's other forms. */
  private save(picture: Picture): void {
    const model = this.model;
    const text = JSON.stringify(picture);
    // What is in it already would only make the document one that has to be saved.
    if (model !== null && model.data[MIME_TYPE] !== text) {
      model.setData({ data: { ...model.data, [MIME_TYPE]: text } });
    }
  }

  /** The kernel has just shown it: it may have been drawn before its message was heard of here. */
  private onShown(_: unknown, source: string): void {
    if (source === this.source) {
      this.mounted?.follow();
    }
  }

  /** A notebook may be opened without a kernel, and be given the one that is still at it. */
  private onKernel(): void {
    if (this.channel?.isClosed && this.session?.session?.kernel && isRunning(pictureOf(this.model?.data[MIME_TYPE]))) {
      this.draw();
    }
  }
}

function isRunning(picture: Partial<Picture> | null): boolean {
  return picture?.rows?.running === true;
}
