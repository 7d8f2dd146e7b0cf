/** What drawings for files have in common: they have no style sheet, so their colours are their own, on white. */

import { svgElement } from './dom';
import type { Kind } from './wire';

/** In a picture `.pnb-kind-…` has the colours. */
export const KIND_COLOURS: Record<Kind, string> = {
  store: '#3b7fc4',
  network: '#2a9d8f',
  callbacks: '#8b6fc9',
  tasks: '#b8699f',
  plot: '#8a9a3b',
  other: '#8a8a8a'
};

export const INK = '#222222';
export const QUIET = '#666666';
export const LINE = '#d0d0d0';
export const BAD = '#c62828';
export const WARN = '#a05000';

/** A drawing that stands for itself. */
export function fileSvg(
  { width, height, fontSize }: { width: number; height: number; fontSize: number },
  title: string,
  parts: readonly SVGElement[]
): SVGSVGElement {
  return svgElement(
    'svg',
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': 'system-ui, sans-serif',
      'font-size': fontSize,
      fill: INK
    },
    svgElement('title', {}, title),
    svgElement('rect', { width, height, fill: '#ffffff' }),
    ...parts
  );
}

export function fileText(
  x: number,
  y: number,
  words: string,
  attributes: Record<string, string | number> = {}
): SVGTextElement {
  return svgElement('text', { x, y, ...attributes }, words);
}
