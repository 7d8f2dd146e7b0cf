/** All about one key of a Store: its value, what it was before, who wrote it, and what can be done with it. */

import { button, element } from './dom';
import { isClear, MARKS } from './history';
import type { Change } from './history';
import type { Write } from './journal';
import { OVER } from './outcome';
import type { Entry, FolderItem, Values } from './storeitems';
import { authorElement, changeWords } from './storewords';
import type { Author } from './storewords';
import { block, line, messageOf } from './text';
import { count, counted, memory, NOTHING } from './units';
import { differences, leaf, parts, short, size, typeName, written } from './value';
import type { Decoded, Part } from './value';

/** What the pane is about. */
export type Subject =
  | { kind: 'folder'; item: FolderItem }
  | {
      kind: 'key';
      /** Of the item in the tree. */
      id: string;
      entry: Entry;
      part: Part | null;
      /** The newest first. */
      versions: readonly Write[];
      /** Why it cannot be changed; null if it can, and an empty text where that goes without saying. */
      fixed: string | null;
    };

export interface PaneActions {
  author(write: Write): Author;
  when(write: Write): string;
  select(attempt: number): void;
  /** Go to the point in the history where something was written. */
  go(write: Write): void;
  /** Ask the kernel for the text of a write. */
  ask(write: Write): Promise<void>;
  edit(entry: Entry): void;
  remove(entry: Entry): Promise<void>;
  close(): void;
}

const CUT = 3000;
const ALL = 2 ** 21;
const LINES = 14;
const VERSIONS = 50;

export class Pane {
  readonly element = element('section', { class: 'pnb-pane', 'aria-label': 'Value', hidden: true });
  private subject: Subject | null = null;
  private stamp = '';
  private versionsOpen = false;
  private asking = false;
  private problem = '';
  private readonly whole = new Set<number>();

  constructor(
    private readonly values: Values,
    private readonly actions: PaneActions
  ) {}

  /** Show a subject; what is there already is left alone, with the focus in it. */
  draw(subject: Subject | null): void {
    const stamp = stampOf(subject);
    if (stamp !== this.stamp) {
      this.stamp = stamp;
      this.problem = '';
      this.asking = false;
      this.subject = subject;
      this.render();
    }
  }

  /** Ask whether to delete what is shown. */
  askToDelete(): void {
    const confirm = this.element.querySelector<HTMLButtonElement>('.pnb-delete');
    confirm?.click();
  }

  private render(): void {
    const { subject } = this;
    this.element.hidden = subject === null;
    if (subject === null) {
      this.element.replaceChildren();
    } else if (subject.kind === 'folder') {
      this.element.replaceChildren(this.head(subject.item.branch.path), ...this.folder(subject.item));
    } else {
      const { entry, part } = subject;
      this.element.replaceChildren(
        this.head(entry.key, part?.label),
        this.facts(entry.write, part),
        ...this.value(entry, part),
        ...this.history(subject.versions, entry.write),
        ...this.doing(subject.entry, subject.fixed)
      );
    }
  }

  private head(key: string, part?: string): HTMLElement {
    const close = button('✕', () => this.actions.close(), {
      class: 'pnb-pane-close',
      'aria-label': 'Close',
      title: 'Close'
    });
    const name = element('bdi', { class: 'pnb-pane-key' }, key === '' ? '(empty key)' : block(key, 1200));
    return element('h4', { class: 'pnb-pane-head' }, name, part === undefined ? null : within(part), close);
  }

  private folder({ branch, changes }: FolderItem): HTMLElement[] {
    const words = [counted(branch.keys, 'key'), ...changeWords(changes)];
    return [element('p', { class: 'pnb-pane-facts' }, words.join(' · '))];
  }

  private facts(write: Write, part: Part | null): HTMLElement {
    const read = part ? { value: part.value } : this.values.of(write);
    const value = read && 'value' in read ? read.value : null;
    const inside = read && 'value' in read ? size(value) : null;
    const words = part
      ? [typeName(value)]
      : [line(write.type, 40), ...(isClear(write) ? [] : [memory(write.bytes)])];
    if (inside !== null) {
      words.push(counted(inside, 'entry', 'entries'));
    }
    if (typeof value === 'string') {
      words.push(counted(value.length, 'character'));
    }
    words.push(`version ${write.version}`);
    return element(
      'p',
      { class: 'pnb-pane-facts' },
      `${words.join(' · ')} · `,
      this.author(write),
      ` · ${this.actions.when(write)}`
    );
  }

  private author(write: Write): HTMLElement {
    return authorElement(this.actions.author(write), attempt => this.actions.select(attempt));
  }

  private value({ write, change }: Entry, part: Part | null): HTMLElement[] {
    if (part) {
      return [this.block({ value: part.value }, null)];
    }
    if (!change || change.kind === 'same' || change.kind === 'added') {
      return [change ? markElement(change) : null, this.blockOf(write)].filter(isElement);
    }
    return this.changed(change);
  }

  private changed(change: Change): HTMLElement[] {
    const { before, after } = change;
    const [one, other] = [before ? this.values.of(before) : null, this.values.of(after)];
    const differing =
      one && other && 'value' in one && 'value' in other ? differences(one.value, other.value) : null;
    const found = [markElement(change)];
    if (differing && differing.length > 0) {
      found.push(
        element(
          'table',
          { class: 'pnb-difference' },
          element(
            'thead',
            {},
            element(
              'tr',
              {},
              element('th', { scope: 'col' }, element('span', { class: 'pnb-spoken' }, 'change')),
              ...['entry', 'before', 'after'].map(name => element('th', { scope: 'col' }, name))
            )
          ),
          element(
            'tbody',
            {},
            ...differing.map(({ label, before: from, after: to }) => {
              const kind = from === null ? 'added' : to === null ? 'cleared' : 'changed';
              return element(
                'tr',
                { class: `pnb-change-${kind}` },
                element('td', { title: MARKS[kind].word }, MARKS[kind].shape),
                element('th', { scope: 'row' }, element('bdi', {}, line(label, 120))),
                element(
                  'td',
                  {},
                  from === null ? NOTHING : element('bdi', {}, line(short(from.value, 200), 240))
                ),
                element('td', {}, to === null ? NOTHING : element('bdi', {}, line(short(to.value, 200), 240)))
              );
            })
          )
        )
      );
    }
    found.push(element('p', { class: 'pnb-pane-label' }, 'Before'));
    if (before) {
      found.push(this.blockOf(before));
    } else {
      found.push(
        element(
          'p',
          { class: 'pnb-pane-note' },
          before === null ? 'There was no such key.' : 'What it was before is not in this picture.'
        )
      );
    }
    if (!isClear(after)) {
      found.push(element('p', { class: 'pnb-pane-label' }, 'After'), this.blockOf(after));
    }
    return found;
  }

  private blockOf(write: Write): HTMLElement {
    const read = this.values.of(write);
    if (read) {
      return this.block(read, write);
    }
    if (isClear(write)) {
      return element('p', { class: 'pnb-pane-note' }, 'Cleared.');
    }
    return element(
      'div',
      {},
      element('p', { class: 'pnb-pane-note' }, `Too long to be kept in the picture: ${memory(write.bytes)}.`),
      this.allButton(write, `Show all (${memory(write.bytes)})`)
    );
  }

  private block(read: Decoded, write: Write | null): HTMLElement {
    const text = allOf(read);
    const all = write !== null && this.whole.has(write.id);
    const limit = all || write === null ? ALL : CUT;
    const shown = block(text, limit);
    const tall = text.length > 60 * LINES || shown.split('\n').length > LINES;
    const pre = element(
      'pre',
      {
        class: 'pnb-value',
        tabindex: tall ? 0 : null,
        role: tall ? 'region' : null,
        'aria-label': tall ? 'Value' : null
      },
      shown
    );
    const note = 'problem' in read ? `Shown as it is stored, since ${line(read.problem, 200)}.` : '';
    const holder = element('div', {}, note ? element('p', { class: 'pnb-pane-note' }, note) : null, pre);
    if (write !== null && !all && text.length > CUT) {
      holder.append(this.allButton(write, `Show all (${count(text.length)} characters)`));
    }
    return holder;
  }

  private allButton(write: Write, label: string): HTMLElement {
    const show = button(this.asking ? 'Asking the kernel…' : label, () => void this.showAll(write), {
      class: 'pnb-show-all',
      disabled: this.asking
    });
    const problem = element(
      'p',
      { class: 'pnb-edit-problem', role: 'alert' },
      this.problem && `${OVER} ${line(this.problem, 400)}`
    );
    return element('div', {}, show, problem);
  }

  private async showAll(write: Write): Promise<void> {
    const { stamp } = this;
    this.whole.add(write.id);
    if (this.values.text(write) === null) {
      this.asking = true;
      this.problem = '';
      this.render();
      try {
        await this.actions.ask(write);
      } catch (error) {
        if (stamp === this.stamp) {
          this.problem = messageOf(error);
        }
      }
      this.asking = false;
    }
    if (stamp === this.stamp) {
      this.render();
      this.element.querySelector<HTMLElement>('.pnb-value[tabindex]')?.focus();
    }
  }

  private history(versions: readonly Write[], current: Write): HTMLElement[] {
    if (versions.length < 2) {
      return [];
    }
    const rows = versions.slice(0, VERSIONS).map(write => {
      const value = isClear(write)
        ? 'cleared'
        : this.values.line(write) || `${line(write.type, 40)}, ${memory(write.bytes)}`;
      const go = button(`version ${write.version}`, () => this.actions.go(write), {
        class: 'pnb-author',
        title: 'Go back to it'
      });
      return element(
        'li',
        { class: write.id === current.id ? 'pnb-version-here' : null },
        go,
        element('bdi', { class: 'pnb-version-value' }, line(value, 200)),
        element('span', { class: 'pnb-version-by' }, this.author(write))
      );
    });
    if (versions.length > VERSIONS) {
      rows.push(
        element('li', { class: 'pnb-pane-note' }, `and ${count(versions.length - VERSIONS)} older ones`)
      );
    }
    const details = element(
      'details',
      { class: 'pnb-versions', open: this.versionsOpen },
      element('summary', {}, counted(versions.length, 'version')),
      element('ol', {}, ...rows)
    );
    details.addEventListener('toggle', () => (this.versionsOpen = details.open));
    return [details];
  }

  private doing(entry: Entry, fixed: string | null): HTMLElement[] {
    if (fixed !== null) {
      return fixed ? [element('p', { class: 'pnb-pane-note' }, fixed)] : [];
    }
    const place = element('div', { class: 'pnb-pane-buttons' });
    const problem = element('p', { class: 'pnb-edit-problem', role: 'alert' });
    const edit = button('Edit', () => this.actions.edit(entry));
    const remove = button('Delete…', () => ask(), { class: 'pnb-delete' });
    const ask = (): void => {
      const sure = button('Delete it', () => erase(), { class: 'pnb-danger' });
      const keep = button('Keep it', () => {
        place.replaceChildren(edit, remove);
        remove.focus();
      });
      const erase = (): void => {
        sure.disabled = true;
        problem.textContent = '';
        this.actions.remove(entry).catch((error: unknown) => {
          sure.disabled = false;
          problem.textContent = `${OVER} ${block(messageOf(error), 2000)}`;
        });
      };
      place.replaceChildren(element('span', { role: 'status' }, 'Delete this key? '), sure, keep);
      keep.focus();
    };
    place.append(edit, remove);
    return [place, problem];
  }
}

/** The mark of a change, in a shape and a word. */
function markElement(change: Change): HTMLElement {
  const { shape, word } = MARKS[change.kind];
  return element('p', { class: `pnb-change pnb-change-${change.kind}` }, `${shape} ${word}`);
}

function within(part: string): HTMLElement {
  return element(
    'span',
    { class: 'pnb-pane-part' },
    ' › ',
    element('bdi', {}, line(part, 200) || 'a member')
  );
}

/** All of a value as text; a text is shown as it reads, without quotes. */
function allOf(read: Decoded): string {
  if (!('value' in read)) {
    return read.text;
  }
  if (typeof read.value === 'string') {
    return read.value;
  }
  try {
    return size(read.value) === null ? leaf(read.value) : written(read.value);
  } catch {
    return parts(read.value, 200)
      .map(part => `${part.label} ${short(part.value)}`)
      .join('\n');
  }
}

function stampOf(subject: Subject | null): string {
  if (subject === null) {
    return '';
  }
  if (subject.kind === 'folder') {
    return `${subject.item.id} ${subject.item.stamp}`;
  }
  const { id, entry, versions, fixed } = subject;
  const change = entry.change ? `${entry.change.kind} ${entry.change.before?.id}` : '';
  return `${entry.write.id} ${entry.write.text === null} ${change} ${versions.length} ${fixed} ${id}`;
}

function isElement(node: HTMLElement | null): node is HTMLElement {
  return node !== null;
}
