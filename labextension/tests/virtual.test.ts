import { afterEach, beforeEach, expect, test } from 'vitest';

import { VirtualRows } from '../src/charts/virtual';

const HEIGHT = 20;
const VIEW = 200;

interface Drawn {
  element: HTMLElement;
}

let made = 0;
let drawn: number[] = [];
let chosen: number[] = [];
let pointed: (number | null)[] = [];
let stamps = new Map<number, number>();
let list: VirtualRows<Drawn>;

beforeEach(() => {
  made = 0;
  drawn = [];
  chosen = [];
  pointed = [];
  stamps = new Map();
  list = new VirtualRows<Drawn>('Rows', {
    rowHeight: HEIGHT,
    maxHeight: VIEW,
    make: () => {
      made += 1;
      return { element: document.createElement('div') };
    },
    draw: (row, place) => {
      drawn.push(place);
      row.element.textContent = `row ${place}`;
    },
    stamp: place => stamps.get(place) ?? 0,
    choose: place => chosen.push(place),
    point: place => pointed.push(place)
  });
  document.body.append(list.element);
});

afterEach(() => {
  list.dispose();
  list.element.remove();
});

const rows = (): HTMLElement[] => [...list.element.querySelectorAll<HTMLElement>('[role=option]')];
const places = (): number[] => rows().map(row => Number(row.getAttribute('aria-posinset')) - 1);
const active = (): string | null | undefined =>
  document.getElementById(list.element.getAttribute('aria-activedescendant') ?? '')?.textContent;

function show(count: number): void {
  list.count = count;
  list.draw();
}

function scroll(top: number): void {
  list.element.scrollTop = top;
  list.element.dispatchEvent(new Event('scroll'));
}

function press(key: string): void {
  list.element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

test('of a hundred thousand rows only those in view are elements', () => {
  show(100_000);
  expect(rows().length).toBeLessThan(25);
  expect(Math.min(...places())).toBe(0);
  scroll(50_000 * HEIGHT);
  expect(rows().length).toBeLessThan(25);
  expect(places()).toContain(50_000);
  expect(places()).toContain(50_009);
  expect(rows().find(row => row.getAttribute('aria-posinset') === '50001')?.textContent).toBe('row 50000');
});

test('elements are used again for other rows', () => {
  show(1000);
  for (let top = 0; top < 1000 * HEIGHT; top += 90) {
    scroll(top);
  }
  expect(made).toBeLessThan(40);
});

test('a row says where it is, and stands there', () => {
  show(500);
  const row = rows()[3];
  expect(row?.getAttribute('aria-setsize')).toBe('500');
  expect(row?.style.transform).toBe(`translateY(${(places()[3] ?? 0) * HEIGHT}px)`);
});

test('a row is drawn again only when it has changed', () => {
  show(5);
  expect(drawn).toEqual([0, 1, 2, 3, 4]);
  stamps.set(2, 1);
  list.draw();
  expect(drawn.slice(5)).toEqual([2]);
  list.invalidate();
  list.draw();
  expect(drawn.slice(6).sort()).toEqual([0, 1, 2, 3, 4]);
});

test('rows that are gone are not left over', () => {
  show(50);
  show(3);
  expect(places().sort()).toEqual([0, 1, 2]);
  show(0);
  expect(rows()).toEqual([]);
});

test('fewer rows than were scrolled past leave the last of them in view', () => {
  show(1000);
  scroll(900 * HEIGHT);
  show(100);
  expect(places()).toContain(99);
  expect(list.view).toEqual([90, 100]);
});

test('what grows is followed to its end until the user scrolls away, and again when the user is back', () => {
  list.following = true;
  show(100);
  expect(list.view[1]).toBe(100);
  show(140);
  expect(list.view[1]).toBe(140);
  scroll(10 * HEIGHT);
  show(180);
  expect(list.view).toEqual([10, 20]);
  scroll(170 * HEIGHT);
  show(220);
  expect(list.view[1]).toBe(220);
});

test('a late event about its own scrolling is not taken for the user', () => {
  list.following = true;
  show(100);
  list.element.dispatchEvent(new Event('scroll'));
  show(140);
  expect(list.view[1]).toBe(140);
});

test('a row that is revealed comes into view, and is not scrolled away from', () => {
  list.following = true;
  show(1000);
  list.reveal(500);
  list.draw();
  expect(places()).toContain(500);
  show(1100);
  expect(places()).toContain(500);
});

test('a row in view is revealed without a move', () => {
  show(1000);
  list.reveal(5);
  expect(list.view[0]).toBe(0);
});

test('there is one tab stop, and keys move within', () => {
  show(100);
  expect(list.element.querySelectorAll('[tabindex]').length).toBe(0);
  expect(list.element.tabIndex).toBe(0);
  list.element.dispatchEvent(new FocusEvent('focus'));
  const met = ['ArrowDown', 'ArrowDown', 'ArrowUp', 'PageDown', 'End', 'ArrowDown', 'PageUp', 'Home', 'ArrowUp'].map(
    key => {
      press(key);
      return active();
    }
  );
  expect(met).toEqual(['row 1', 'row 2', 'row 1', 'row 10', 'row 99', 'row 99', 'row 90', 'row 0', 'row 0']);
});

test('the active row is in view, and what it says is told', () => {
  show(100);
  press('End');
  expect(list.view[1]).toBe(100);
  expect(pointed).toEqual([99]);
  press('Escape');
  expect(pointed).toEqual([99, null]);
});

test('the active row keeps its element when it is scrolled out of view', () => {
  show(1000);
  press('Home');
  scroll(800 * HEIGHT);
  expect(active()).toBe('row 0');
});

test('Enter, Space and a click choose a row', () => {
  show(100);
  press('Home');
  press('Enter');
  press('ArrowDown');
  press(' ');
  rows()
    .find(row => row.textContent === 'row 4')
    ?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(chosen).toEqual([0, 1, 4]);
});

test('the selected row says so', () => {
  list.selected = 2;
  show(5);
  const selected = rows().filter(row => row.getAttribute('aria-selected') === 'true');
  expect(selected.map(row => row.textContent)).toEqual(['row 2']);
});

test('keys that belong to the page are left to it', () => {
  show(5);
  const event = new KeyboardEvent('keydown', { key: 'a', bubbles: true, cancelable: true });
  list.element.dispatchEvent(event);
  const shortcut = new KeyboardEvent('keydown', { key: 'End', ctrlKey: true, bubbles: true, cancelable: true });
  list.element.dispatchEvent(shortcut);
  expect([event.defaultPrevented, shortcut.defaultPrevented, active()]).toEqual([false, false, undefined]);
});
