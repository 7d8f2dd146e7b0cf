/** Keys of a Store by their prefixes. */

import type { ChangeKind } from './history';

export interface Folder {
  kind: 'folder';
  /** What the keys in it begin with. */
  path: string;
  label: string;
  children: Branch[];
  /** How many keys are in it, at any depth. */
  keys: number;
}

export interface Leaf {
  kind: 'leaf';
  key: string;
  label: string;
}

export type Branch = Folder | Leaf;

/** A line of the tree as it is drawn. */
export interface TreeRow {
  branch: Branch;
  /** From 1. */
  level: number;
  open: boolean;
  /** Its place among its siblings, from 1, and how many they are. */
  place: number;
  siblings: number;
}

// Separators that follow each other are one: `https://` is no folder within a folder within a folder.
const SEGMENT = /[^:/]*[:/]+/y;

/** The folders of a key, each with its separator, and what is left for its name. */
export function segments(key: string): string[] {
  const found: string[] = [];
  SEGMENT.lastIndex = 0;
  let from = 0;
  while (SEGMENT.test(key) && SEGMENT.lastIndex < key.length) {
    found.push(key.slice(from, SEGMENT.lastIndex));
    from = SEGMENT.lastIndex;
  }
  found.push(key.slice(from));
  return found;
}

/** `page:9` before `page:10`, as people count; else as Python orders them, so far as UTF-16 does. */
export function byName(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  let at = 0;
  while (at < length && one.charCodeAt(at) === other.charCodeAt(at)) {
    at += 1;
  }
  if (at === one.length && at === other.length) {
    return 0;
  }
  let from = at;
  while (from > 0 && isDigit(one, from - 1)) {
    from -= 1;
  }
  const [first, second] = [endOfDigits(one, from), endOfDigits(other, from)];
  // Of numbers that begin alike the longer one is larger, unless it begins with zeros.
  const counted =
    first > from && second > from && first !== second && one[from] !== '0' && other[from] !== '0';
  return counted ? first - second : one < other ? -1 : 1;
}

/** Sort keys into folders; one that holds nothing but one other thing is joined with it. */
export function makeTree(keys: Iterable<string>): Branch[] {
  const root = new Draft();
  for (const key of keys) {
    let draft = root;
    const parts = segments(key);
    const name = parts.pop() ?? '';
    for (const part of parts) {
      draft = draft.within(part);
    }
    draft.leaves.set(name, key);
  }
  return branches(root, '');
}

/** The lines of a tree, without those in folders that are closed. */
export function flatten(tree: readonly Branch[], isOpen: (folder: Folder) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (among: readonly Branch[], level: number): void => {
    among.forEach((branch, index) => {
      const open = branch.kind === 'folder' && isOpen(branch);
      rows.push({ branch, level, open, place: index + 1, siblings: among.length });
      if (open && branch.kind === 'folder') {
        add(branch.children, level + 1);
      }
    });
  };
  add(tree, 1);
  return rows;
}

/** How many changes of each kind are in a folder. */
export function tallied(
  folder: Folder,
  kindOf: (key: string) => ChangeKind | undefined
): Map<ChangeKind, number> {
  const found = new Map<ChangeKind, number>();
  const count = (branch: Branch): void => {
    if (branch.kind === 'folder') {
      branch.children.forEach(count);
      return;
    }
    const kind = kindOf(branch.key);
    if (kind) {
      found.set(kind, (found.get(kind) ?? 0) + 1);
    }
  };
  count(folder);
  return found;
}

class Draft {
  readonly folders = new Map<string, Draft>();
  readonly leaves = new Map<string, string>();

  within(part: string): Draft {
    const found = this.folders.get(part) ?? new Draft();
    this.folders.set(part, found);
    return found;
  }
}

function branches(draft: Draft, path: string): Branch[] {
  const found: Branch[] = [];
  for (const [label, within] of draft.folders) {
    found.push(
      joined({ kind: 'folder', path: path + label, label, children: branches(within, path + label), keys: 0 })
    );
  }
  for (const [label, key] of draft.leaves) {
    found.push({ kind: 'leaf', key, label });
  }
  return found.sort((one, other) => byName(one.label, other.label));
}

function joined(folder: Folder): Branch {
  const [only, ...others] = folder.children;
  if (only && others.length === 0) {
    return { ...only, label: folder.label + only.label };
  }
  folder.keys = folder.children.reduce((sum, child) => sum + (child.kind === 'folder' ? child.keys : 1), 0);
  return folder;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text, at)) {
    at += 1;
  }
  return at;
}
