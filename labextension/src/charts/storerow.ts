/** The cells of a line of a Store's tree. */

import { element } from './dom';
import { isClear, MARKS } from './history';
import type { Change } from './history';
import type { Write } from './journal';
import { MORE } from './storeitems';
import type { KeyItem, PartItem, StoreItem, Values } from './storeitems';
import { authorElement, changeElements } from './storewords';
import type { Author } from './storewords';
import { line } from './text';
import { count, counted, memory } from './units';
import { differences, short, size, typeName } from './value';
import type { PartChange } from './value';

const LABEL = 240;
const VALUE = 160;

export interface RowMaker {
  values: Values;
  author(write: Write): Author;
  select(attempt: number): void;
}

/** The cells of an item. */
export function cellsOf(item: StoreItem, maker: RowMaker): Node[] {
  switch (item.kind) {
    case 'folder':
      return [
        label(item, item.branch.label, counted(item.branch.keys, 'key')),
        cell('value', ...changeElements(item.changes))
      ];
    case 'more':
      return [
        label(item, `… ${count(item.left)} more`, ''),
        cell('value', `Enter shows ${count(Math.min(item.left, MORE))} of them`)
      ];
    case 'part':
      return partCells(item);
    default:
      return keyCells(item, maker);
  }
}

function keyCells(item: KeyItem, { values, author, select }: RowMaker): Node[] {
  const { write, change } = item.entry;
  // Not a tab stop of its own: the pane has the same for whom the keyboard brings here.
  const by = authorElement(author(write), select, { tabindex: -1 });
  const cells = [
    label(item, item.label === '' ? '(empty key)' : item.label, ''),
    cell('value', ...(change ? changedValue(change, values) : [plainValue(write, values)])),
    cell('type', line(write.type, 40)),
    cell('size', isClear(write) ? '' : memory(write.bytes)),
    cell('by', by),
    cell('version', String(write.version))
  ];
  return [change ? mark(change) : null, ...cells].filter((each): each is HTMLElement => each !== null);
}

function partCells(item: PartItem): Node[] {
  const { part } = item;
  const inside = size(part.value);
  return [
    label(item, part.label, ''),
    cell('value', valueElement(part.value)),
    cell('type', typeName(part.value)),
    cell('size', inside === null ? '' : counted(inside, 'entry', 'entries'))
  ];
}

/** A mark in the margin: a shape, with its word for who points at it or listens. */
function mark(change: Change): HTMLElement {
  const { shape, word } = MARKS[change.kind];
  return element(
    'span',
    { class: `pnb-item-mark pnb-change-${change.kind}`, title: word },
    element('span', { 'aria-hidden': 'true' }, shape),
    element('span', { class: 'pnb-spoken' }, `${word} `)
  );
}

function label(item: StoreItem, text: string, also: string): HTMLElement {
  const toggle =
    item.open === null
      ? null
      : element('span', { class: 'pnb-item-toggle', 'aria-hidden': 'true' }, item.open ? '▾' : '▸');
  const name = element('bdi', { class: 'pnb-item-name' }, line(text, LABEL));
  const more = also ? element('span', { class: 'pnb-item-count' }, also) : null;
  const made = cell('label', element('span', { class: 'pnb-item-twist' }, toggle), name, more);
  made.title = line(item.kind === 'key' ? item.entry.key : text, LABEL);
  return made;
}

function plainValue(write: Write, values: Values): HTMLElement {
  const read = values.of(write);
  if (read === null) {
    return element(
      'span',
      { class: 'pnb-quiet' },
      isClear(write) ? 'cleared' : `${memory(write.bytes)}, too long to show`
    );
  }
  const shown = line(values.line(write), VALUE);
  return 'value' in read
    ? element('bdi', { class: `pnb-v-${colourOf(read.value)}` }, shown)
    : element('bdi', { class: 'pnb-v-invalid' }, shown);
}

function changedValue(change: Change, values: Values): (Node | string)[] {
  const { kind, before, after } = change;
  if (kind === 'added' || kind === 'same') {
    return [plainValue(after, values)];
  }
  if (kind === 'cleared') {
    return before ? [element('del', {}, plainValue(before, values))] : [plainValue(after, values)];
  }
  const [one, other] = [before ? values.of(before) : null, values.of(after)];
  const entries =
    one && other && 'value' in one && 'value' in other ? differences(one.value, other.value, 12) : null;
  if (entries && entries.length > 0) {
    return entries.flatMap((entry, index) => [...(index > 0 ? [', '] : []), ...entryChange(entry)]);
  }
  return [
    before ? element('del', {}, plainValue(before, values)) : element('span', { class: 'pnb-quiet' }, '?'),
    ' → ',
    element('ins', {}, plainValue(after, values))
  ];
}

function entryChange({ label: name, before, after }: PartChange): (Node | string)[] {
  const bare = element('bdi', { class: 'pnb-v-name' }, `${line(name, 60)}: `);
  const from = before && element('del', {}, valueElement(before.value, 40));
  const to = after && element('ins', {}, valueElement(after.value, 60));
  return from && to ? [bare, from, ' → ', to] : from ? ['− ', bare, from] : to ? ['+ ', bare, to] : [bare];
}

function valueElement(value: unknown, limit = VALUE): HTMLElement {
  return element('bdi', { class: `pnb-v-${colourOf(value)}` }, line(short(value, limit), limit + 20));
}

function colourOf(value: unknown): string {
  const name = typeName(value);
  return (
    { str: 'text', int: 'number', float: 'number', bool: 'word', None: 'word', Undefined: 'word' }[name] ??
    (size(value) === null ? 'other' : 'group')
  );
}

function cell(name: string, ...children: (Node | string | null)[]): HTMLElement {
  return element('span', { class: `pnb-item-${name}` }, ...children);
}
