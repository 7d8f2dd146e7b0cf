/** Elements, made from names, attributes and text; never from markup. */

type Value = string | number | boolean | null | undefined;

/** Attributes by name; `true` is an empty one, null, undefined and `false` none. `style` has properties by name. */
export type Attributes = { style?: Record<string, string> } & {
  [name: string]: Value | Record<string, string>;
};

export type Child = Node | string | null | undefined;

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element; children that are strings become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(tag), attributes, children);
}

/** An SVG element; children that are strings become text. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children);
}

/** A button, most often with a text. */
export function button(face: Child, pressed: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, face);
  made.addEventListener('click', pressed);
  return made;
}

/** Write a text where it is not that already. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Write an attribute where it is not that already; null removes it. */
export function setAttribute(node: Element, name: string, value: Value): void {
  if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) {
    node.setAttribute(name, text);
  }
}

/** Listen until the returned function is called. */
export function listen<K extends keyof HTMLElementEventMap>(
  node: HTMLElement,
  type: K,
  heard: (event: HTMLElementEventMap[K]) => void,
  options: AddEventListenerOptions = {}
): () => void {
  node.addEventListener(type, heard, options);
  return () => node.removeEventListener(type, heard, options);
}

let made = 0;

/** An `id` that no other element of the page has, however many pictures are on it. */
export function uniqueId(name: string): string {
  made += 1;
  return `pnb-${name}-${PAGE}-${made}`;
}

// Each bundle on a page (a widget's, the extension's) counts for itself.
const PAGE = Math.random().toString(36).slice(2, 8);

function furnish<E extends HTMLElement | SVGElement>(node: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== 'object' || value === null) {
      setAttribute(node, name, value);
      continue;
    }
    for (const [property, text] of Object.entries(value)) {
      node.style.setProperty(property, text);
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined) {
      node.append(child);
    }
  }
  return node;
}
