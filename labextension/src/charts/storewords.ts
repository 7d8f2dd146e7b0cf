/** Who wrote what, and when, in words. */

import { button, element } from './dom';
import type { Attributes } from './dom';
import { MARKS } from './history';
import type { ChangeKind } from './history';
import type { Journal, Write } from './journal';
import { counted } from './units';
import { moment } from './value';

/** Who wrote something. */
export interface Author {
  /** `#12 sync_page`; null: by hand. */
  name: string | null;
  /** Which can be selected; null where it is not in the picture. */
  attempt: number | null;
}

/** `#12 sync_page`, or `by hand`. */
export function labelOf({ name }: Author): string {
  return name ?? 'by hand';
}

/** `by #12 sync_page`, or `by hand`. */
export function byWhom({ name }: Author): string {
  return name === null ? 'by hand' : `by ${name}`;
}

/** Who wrote something: a button, with these attributes, where that can be selected. */
export function authorElement(
  author: Author,
  select: (attempt: number) => void,
  attributes: Attributes = {}
): HTMLElement {
  const label = labelOf(author);
  const { attempt } = author;
  const name = element('bdi', {}, label);
  return attempt === null
    ? name
    : button(name, () => select(attempt), { class: 'pnb-author', title: `Select ${label}`, ...attributes });
}

/** `+ 3 added`, in the order of `MARKS`. */
export function changeWords(kinds: ReadonlyMap<ChangeKind, number>): string[] {
  return inOrder(kinds).map(kind => `${MARKS[kind].shape} ${kinds.get(kind) ?? 0} ${MARKS[kind].word}`);
}

/** The same, each in its colour. */
export function changeElements(kinds: ReadonlyMap<ChangeKind, number>): HTMLElement[] {
  const words = changeWords(kinds);
  return inOrder(kinds).map((kind, place) =>
    element('span', { class: `pnb-change pnb-change-${kind}` }, words[place])
  );
}

function inOrder(kinds: ReadonlyMap<ChangeKind, number>): ChangeKind[] {
  return (Object.keys(MARKS) as ChangeKind[]).filter(kind => kinds.has(kind));
}

/** The words for what is in a journal. */
export class StoreWords {
  constructor(private readonly journal: Journal) {}

  author(write: Write): Author {
    if (write.by === null) {
      return { name: null, attempt: null };
    }
    const index = this.journal.indexOf(write.by);
    return index < 0
      ? { name: 'an execution that is not in this picture', attempt: null }
      : { name: this.nameOf(index), attempt: write.by };
  }

  /** `#12 sync_page`, by its place in the journal. */
  nameOf(index: number): string {
    const { number, method, attempt } = this.journal.attempt(index);
    return `#${number} ${method}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
  }

  /** On the runtime's clock, in UTC. */
  when(write: Write): string {
    return moment(new Date(this.journal.origin + write.updated));
  }

  /** Why a key might not be meant to be written; null if nothing speaks against it. */
  doubt(key: string, opened: Write | null, last: Write | null): string | null {
    if (opened === null && key === '') {
      return 'The key is empty.';
    }
    if (last === null || last.id === opened?.id) {
      return null;
    }
    const by = byWhom(this.author(last));
    if (last.type === 'cleared') {
      return opened === null ? null : `It was cleared meanwhile ${by}.`;
    }
    return opened === null ? `There is such a key already, written ${by}.` : `It was written meanwhile ${by}.`;
  }

  /** What is to be known about writes that are not here; empty where all are. */
  leftOut(): string {
    const { writesLeftOut } = this.journal;
    const verb = writesLeftOut === 1 ? 'is' : 'are';
    return writesLeftOut === 0
      ? ''
      : `${counted(writesLeftOut, 'older write')} ${verb} not in this picture: what only they wrote is missing here.`;
  }
}
