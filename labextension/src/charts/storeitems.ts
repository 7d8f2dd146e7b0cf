/** The lines of a Store's tree: folders of keys, keys, and what lies within their values. */

import { isReserved } from './history';
import type { Change, ChangeKind, StoreHistory } from './history';
import type { Write } from './journal';
import { flatten, makeTree, tallied } from './tree';
import type { Branch, Folder } from './tree';
import type { Item } from './treelist';
import { decode, parts, searched, short, size } from './value';
import type { Decoded, Part } from './value';

export interface FolderItem extends Item {
  kind: 'folder';
  branch: Folder;
  changes: Map<ChangeKind, number>;
}

export interface KeyItem extends Item {
  kind: 'key';
  entry: Entry;
}

/** Something within a value. */
export interface PartItem extends Item {
  kind: 'part';
  entry: Entry;
  part: Part;
}

/** Where more lies within a value than is listed. */
export interface MoreItem extends Item {
  kind: 'more';
  entry: Entry;
  within: string;
  left: number;
}

export type StoreItem = FolderItem | KeyItem | PartItem | MoreItem;

/** A key as it stands at a point of the history. */
export interface Entry {
  key: string;
  write: Write;
  change: Change | undefined;
}

/** What to show of a Store. */
export interface View {
  history: StoreHistory;
  step: number;
  query: string;
  onlyChanges: boolean;
  reserved: boolean;
}

/** The entries that a view has, and what it leaves out. */
export interface Found {
  entries: Map<string, Entry>;
  changes: Map<string, Change>;
  /** Keys before the search, and without locks if these are hidden. */
  keys: number;
  /** Locks and drains, hidden or not. */
  reserved: number;
  /** Values that were not searched since their text is not here. */
  unsearched: number;
}

const LISTED = 200;
export const MORE = 1000;
const FEW = 60;
const LINE = 160;
const MOST_KEPT = 20_000;
/** Types whose values hold others. It is not worth reading ten thousand values to know which can be opened. */
const GROUPS = new Set(['list', 'dict', 'set', 'Map']);
const EMPTY = /^\s*\{\s*"json"\s*:\s*(\[\s*\]|\{\s*\})/;

/** The texts of values, read once; those that were asked for stay. */
export class Values {
  private readonly decoded = new Map<number, Decoded>();
  private readonly lower = new Map<number, string>();
  private readonly lines = new Map<number, string>();
  private readonly asked = new Map<number, string>();

  /** superjson text; null where there is none. */
  text(write: Write): string | null {
    return write.text ?? this.asked.get(write.id) ?? null;
  }

  /** Keep what the kernel answered. */
  learn(texts: ReadonlyMap<number, string>): void {
    texts.forEach((text, id) => this.asked.set(id, text));
  }

  /** The value of a write; null where it was cleared or is not here. */
  of(write: Write): Decoded | null {
    const text = this.text(write);
    if (text === null || write.type === 'cleared') {
      return null;
    }
    return kept(this.decoded, write.id, () =>
      write.type === 'invalid' ? { text, problem: 'Python cannot read it' } : decode(text)
    );
  }

  /** On one line. */
  line(write: Write): string {
    const found = this.of(write);
    return found === null
      ? ''
      : kept(this.lines, write.id, () =>
          'value' in found ? short(found.value, LINE) : found.text.slice(0, LINE)
        );
  }

  /** What a search looks through; null where the text is not here. */
  searched(write: Write): string | null {
    const found = this.of(write);
    if (found === null) {
      return null;
    }
    return kept(this.lower, write.id, () =>
      'value' in found ? searched(found.value) : found.text.toLowerCase()
    );
  }
}

/** The keys that are there at a point of the history, and those that were cleared there. */
export function find(view: View, values: Values): Found {
  const state = view.history.stateAt(view.step);
  const changes = view.history.changesAt(view.step);
  changes.forEach((change, key) => {
    // Another that ran at the same time has written over it since.
    if (change.kind !== 'cleared' ? state.get(key)?.id !== change.after.id : state.has(key)) {
      changes.delete(key);
    }
  });
  const entries = new Map<string, Entry>();
  const query = view.query.toLowerCase();
  const found: Found = { entries, changes, keys: 0, reserved: 0, unsearched: 0 };
  const add = (key: string, write: Write): void => {
    if (isReserved(key)) {
      found.reserved += 1;
      if (!view.reserved) {
        return;
      }
    }
    found.keys += write.type === 'cleared' ? 0 : 1;
    const change = changes.get(key);
    if (view.onlyChanges && !change) {
      return;
    }
    if (query && !key.toLowerCase().includes(query)) {
      const text = values.searched(write);
      if (text === null && write.type !== 'cleared') {
        found.unsearched += 1;
      }
      if (text === null || !text.includes(query)) {
        return;
      }
    }
    entries.set(key, { key, write, change });
  };
  state.forEach((write, key) => add(key, write));
  changes.forEach((change, key) => {
    if (change.kind === 'cleared') {
      add(key, change.after);
    }
  });
  return found;
}

/** What the user has opened and closed, by the item's id; what it does not know is as it began. */
export class Openness {
  private readonly chosen = new Map<string, boolean>();
  private readonly listed = new Map<string, number>();

  set(id: string, open: boolean): void {
    this.chosen.set(id, open);
  }

  isOpen(id: string, otherwise: boolean): boolean {
    return this.chosen.get(id) ?? otherwise;
  }

  /** How many parts of a value are listed. */
  limit(id: string): number {
    return this.listed.get(id) ?? LISTED;
  }

  listMore(id: string): void {
    this.listed.set(id, this.limit(id) + MORE);
  }
}

/** The lines to draw. */
export function itemsOf(found: Found, openness: Openness, values: Values, all: boolean): StoreItem[] {
  const tree = makeTree(found.entries.keys());
  const few = found.entries.size <= FEW;
  const items: StoreItem[] = [];
  const kindOf = (key: string): ChangeKind | undefined => found.changes.get(key)?.kind;
  for (const row of flatten(tree, folder => openness.isOpen(folderId(folder), all || few))) {
    const { branch, level, place, siblings } = row;
    if (branch.kind === 'folder') {
      const changes = tallied(branch, kindOf);
      const id = folderId(branch);
      const stamp = `${branch.keys} ${[...changes].join()}`;
      items.push({
        kind: 'folder',
        id,
        level,
        open: row.open,
        place,
        siblings,
        label: branch.label,
        folder: true,
        stamp,
        branch,
        changes
      });
      continue;
    }
    const entry = found.entries.get(branch.key);
    if (entry) {
      items.push(...itemsOfKey(entry, { branch, level, place, siblings }, openness, values));
    }
  }
  return items;
}

/** How a key's item is called. */
export function keyId(key: string): string {
  return `key ${key}`;
}

/** How many changes there are of each kind. */
export function kindsOf(changes: ReadonlyMap<string, Change>): Map<ChangeKind, number> {
  const found = new Map<ChangeKind, number>();
  changes.forEach(change => found.set(change.kind, (found.get(change.kind) ?? 0) + 1));
  return found;
}

function folderId(folder: Folder): string {
  return `folder ${folder.path}`;
}

interface Where {
  branch: Branch;
  level: number;
  place: number;
  siblings: number;
}

function itemsOfKey(
  entry: Entry,
  { branch, level, place, siblings }: Where,
  openness: Openness,
  values: Values
): StoreItem[] {
  const id = keyId(entry.key);
  const { write, change } = entry;
  const text = values.text(write);
  const open =
    text !== null && GROUPS.has(write.type) && !EMPTY.test(text) ? openness.isOpen(id, false) : null;
  const read = open ? values.of(write) : null;
  const value = read && 'value' in read ? read.value : undefined;
  const stamp = `${write.id} ${write.by} ${change?.kind} ${change?.before?.id} ${text !== null}`;
  const item: KeyItem = {
    kind: 'key',
    id,
    level,
    open,
    place,
    siblings,
    label: branch.label,
    folder: false,
    stamp,
    entry
  };
  return [item, ...(open ? itemsWithin(value, entry, '', level + 1, openness) : [])];
}

/** `path` is made of the places on the way to the value; it comes before the key, which may hold anything. */
function itemsWithin(
  value: unknown,
  entry: Entry,
  path: string,
  level: number,
  openness: Openness
): StoreItem[] {
  const count = size(value) ?? 0;
  const within = `within ${path} ${entry.key}`;
  const listed = parts(value, openness.limit(within));
  const siblings = listed.length + (listed.length < count ? 1 : 0);
  const items: StoreItem[] = [];
  listed.forEach((part, index) => {
    const at = `${path}.${index}`;
    const id = `part ${at} ${entry.key}`;
    const open = size(part.value) ? openness.isOpen(id, false) : null;
    const label = part.label;
    const stamp = `${entry.write.id}`;
    items.push({
      kind: 'part',
      id,
      level,
      open,
      place: index + 1,
      siblings,
      label,
      folder: false,
      stamp,
      entry,
      part
    });
    if (open) {
      items.push(...itemsWithin(part.value, entry, at, level + 1, openness));
    }
  });
  if (listed.length < count) {
    const left = count - listed.length;
    const id = `more ${path} ${entry.key}`;
    items.push({
      kind: 'more',
      id,
      level,
      open: null,
      place: siblings,
      siblings,
      label: '',
      folder: false,
      stamp: String(left),
      entry,
      within,
      left
    });
  }
  return items;
}

function kept<T>(cache: Map<number, T>, id: number, make: () => T): T {
  const known = cache.get(id);
  if (known !== undefined) {
    return known;
  }
  if (cache.size > MOST_KEPT) {
    cache.clear();
  }
  const made = make();
  cache.set(id, made);
  return made;
}
