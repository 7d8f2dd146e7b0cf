/** A picture in an element of a page: what JupyterLab's renderer and the widget have in common. */

import type { Context } from './chart';
import { element } from './dom';
import { Inspector } from './inspector';
import { Journal } from './journal';
import { Link } from './link';
import type { Channel } from './link';
import { Selection } from './selection';
import { line } from './text';
import { PANELS } from './wire';
import type { Panel, Picture } from './wire';

export interface Options {
  /** Whether a live picture asks for rows by itself; one that was read from a file does not. */
  follow: boolean;
  /** Whether the user trusts the document: only then can a picture change something. */
  trusted(): boolean;
  /** Keep a picture in the document. */
  save(picture: Picture): void;
}

export interface Mounted {
  /** Show another picture in its place. */
  update(picture: Picture): void;
  /** From now on ask for rows, if it is live. */
  follow(): void;
  dispose(): void;
}

/** Draw `picture` into `host`, and keep it up to date for as long as `channel` brings rows. */
export function mount(host: HTMLElement, picture: Picture, channel: Channel | null, options: Options): Mounted {
  let shown = show(host, picture, channel, options);
  return {
    update(next: Picture): void {
      if (!shown.update(next)) {
        shown.dispose();
        shown = show(host, next, channel, options);
      }
    },
    follow: () => shown.follow(),
    dispose(): void {
      shown.dispose();
      channel?.dispose();
      host.replaceChildren();
    }
  };
}

interface Shown {
  /** Takes the rows of a picture of the same thing; tells whether it was one. */
  update(picture: Picture): boolean;
  follow(): void;
  dispose(): void;
}

function show(host: HTMLElement, picture: Picture, channel: Channel | null, options: Options): Shown {
  const problem = whatIsWrong(picture);
  if (problem !== null) {
    host.replaceChildren(element('p', { class: 'pnb pnb-problem' }, problem));
    return { update: () => false, follow: () => undefined, dispose: () => undefined };
  }
  const journal = new Journal(picture.rows);
  const selection = new Selection(picture.selected);
  // The kernel is told what a user selects, not what it has selected itself or what a picture begins with.
  let told = picture.selected;
  const link = new Link(journal, picture.source === null ? null : channel, {
    trusted: () => options.trusted(),
    picture: ended => options.save(ended),
    selected: id => {
      told = id;
      selection.set(id);
    }
  });
  link.hasShown = options.follow;
  const context: Context = { journal, selection, kernel: link };
  const inspector = new Inspector(context, picture.panel, picture.title, link);
  told = selection.value;
  const undo = selection.subscribe(id => {
    if (id !== told) {
      told = id;
      link.select(id);
    }
  });
  host.replaceChildren(inspector.element);
  const follow = (): void => {
    link.show();
    if (picture.live && !link.following) {
      link.follow();
    }
  };
  if (options.follow) {
    follow();
  }
  // A page that was loaded again takes up what still runs; in a file of somebody else's, that is for a click to ask.
  if (picture.rows.running && !link.following && options.trusted()) {
    link.follow();
  }
  return {
    follow,
    update(next: Picture): boolean {
      if (whatIsWrong(next) !== null || next.source === null || next.source !== picture.source || next.panel !== picture.panel) {
        return false;
      }
      journal.apply(next.rows);
      return true;
    },
    dispose(): void {
      undo();
      link.dispose();
      inspector.dispose();
    }
  };
}

/** Why a picture cannot be drawn; null if it can. */
function whatIsWrong(picture: unknown): string | null {
  const { format, panel, rows } = (picture ?? {}) as Partial<Record<keyof Picture, unknown>>;
  if (format !== 1) {
    return `This picture has the format ${line(JSON.stringify(format) ?? 'of nothing known', 40)}, and this version of plot_nb draws format 1: update plot_nb, or run the cell again.`;
  }
  if (!PANELS.includes(panel as Panel) || typeof rows !== 'object' || rows === null) {
    return 'This picture is damaged: run the cell again.';
  }
  return null;
}

