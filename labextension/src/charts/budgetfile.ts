/** The budget as a drawing that stands for itself, with colours of its own. */

import { svgElement } from './dom';
import { told } from './figures';
import { BAD, fileSvg, fileText, INK, KIND_COLOURS, LINE, QUIET, WARN } from './filesvg';
import type { Attempt, Journal } from './journal';
import { mark, NEAR, OVER } from './outcome';
import { buckets, columnPaths } from './overview';
import { LinearScale } from './scale';
import { count, duration, memory, NOTHING, percent } from './units';

/** Attempts that are all drawn one by one; of more, those that somebody looks for. */
export const SINGLE = 200;
export const DRAWN = 60;

const SENTENCES = /(?<=[.:]) (?=Most )/;
const WIDTH = 1000;
const ROW = 20;
const MARGIN = 16;
const BAR = { left: 320, right: 740 };
const RIGHT = { requests: 806, share: 846, cpu: 920, memory: 984 };
const OVERVIEW = 80;

/**
 * Draw a run.
 *
 * @param shown Indices of the attempts to draw; null for all. Of too many those are drawn that somebody looks for.
 */
export function budgetSvg(journal: Journal, shown: readonly number[] | null): SVGSVGElement {
  const all = shown ?? Array.from({ length: journal.length }, (_, index) => index);
  const rows = worthLooking(journal, all);
  const parts: SVGElement[] = [];
  let y = MARGIN + 14;
  for (const sentence of journal.summary().split(SENTENCES)) {
    parts.push(fileText(MARGIN, y, cut(sentence, 130), { 'font-size': 14, 'font-weight': 600 }));
    y += 20;
  }
  y += 2;
  parts.push(...legend(journal, y));
  y += 14;
  if (rows.length < all.length) {
    parts.push(...overview(journal, all, y));
    y += OVERVIEW + 34;
    const words = `${count(rows.length)} of ${count(all.length)}: what failed, is near a limit or spent most`;
    parts.push(fileText(MARGIN, y, words, { fill: QUIET }));
  }
  y += 22;
  parts.push(...head(journal, y));
  const top = y + 8;
  rows.forEach((index, place) => parts.push(...row(journal.attempt(index), journal, top + place * ROW)));
  const bottom = top + rows.length * ROW;
  const scale = bars(journal);
  const limit = journal.limits.requests;
  parts.push(vertical(scale.at(0.8 * limit), top - 4, bottom, { stroke: LINE, 'stroke-dasharray': '2 3' }));
  parts.push(vertical(scale.at(limit), top - 4, bottom, { stroke: INK, 'stroke-width': 1.5 }));
  const height = bottom + MARGIN;
  return fileSvg({ width: WIDTH, height, fontSize: 12 }, journal.summary(), parts);
}

/** The attempts that somebody would look for, in their order: failures, what is near a limit, then the heaviest. */
function worthLooking(journal: Journal, all: readonly number[]): number[] {
  if (all.length <= SINGLE) {
    return [...all];
  }
  const rank = (index: number): number => (journal.failedAt(index) ? 2 : journal.nearAt(index) ? 1 : 0);
  return [...all]
    .sort((one, other) => rank(other) - rank(one) || journal.requestsAt(other) - journal.requestsAt(one) || one - other)
    .slice(0, DRAWN)
    .sort((one, other) => one - other);
}

function bars(journal: Journal): LinearScale {
  return new LinearScale([0, journal.limits.requests], [BAR.left, BAR.right]);
}

function legend(journal: Journal, y: number): SVGElement[] {
  let x = MARGIN;
  const parts: SVGElement[] = [];
  for (const [kind, total] of journal.totals()) {
    const words = `${kind} ${count(total)}`;
    parts.push(svgElement('rect', { x, y: y - 9, width: 10, height: 10, rx: 2, fill: KIND_COLOURS[kind] }));
    parts.push(fileText(x + 15, y, words));
    x += 15 + 7 * words.length + 18;
  }
  parts.push(fileText(x, y, `${NEAR} 80% of a limit`, { fill: WARN }));
  parts.push(fileText(x + 130, y, `${OVER} failed`, { fill: BAD }));
  return parts;
}

function overview(journal: Journal, all: readonly number[], y: number): SVGElement[] {
  const columns = buckets(journal, all.length, place => all[place] ?? 0);
  const size = (columns[0]?.to ?? 1) - (columns[0]?.from ?? 0);
  const width = WIDTH - 2 * MARGIN;
  const box = svgElement('svg', {
    x: MARGIN,
    y,
    width,
    height: OVERVIEW,
    viewBox: `0 0 ${columns.length} ${journal.limits.requests}`,
    preserveAspectRatio: 'none'
  });
  for (const [kind, path] of columnPaths(journal, columns)) {
    box.append(svgElement('path', { d: path, fill: KIND_COLOURS[kind] }));
  }
  const level = (share: number, stroke: string): SVGElement =>
    svgElement('line', { x1: MARGIN, x2: WIDTH - MARGIN, y1: y + OVERVIEW * (1 - share), y2: y + OVERVIEW * (1 - share), stroke });
  const words = `requests of all ${count(all.length)}${size > 1 ? `, each column the heaviest of ${count(size)}` : ''}`;
  return [
    box,
    level(1, INK),
    level(0.8, LINE),
    level(0, LINE),
    fileText(MARGIN, y + OVERVIEW + 14, words, { fill: QUIET }),
    fileText(WIDTH - MARGIN, y + OVERVIEW + 14, `limit ${count(journal.limits.requests)}`, { fill: QUIET, 'text-anchor': 'end' })
  ];
}

function head({ limits }: Journal, y: number): SVGElement[] {
  const quiet = { fill: QUIET, 'font-size': 11 };
  const end = { ...quiet, 'text-anchor': 'end' };
  return [
    fileText(58, y, '#', end),
    fileText(68, y, 'method', quiet),
    fileText(190, y, 'outcome', quiet),
    fileText(BAR.left, y, '0', quiet),
    fileText(BAR.right, y, `limit ${count(limits.requests)}`, end),
    fileText(RIGHT.requests, y, 'requests', end),
    fileText(RIGHT.cpu, y, `CPU of ${duration(1000 * limits.cpu)}`, end),
    fileText(RIGHT.memory, y, `of ${memory(limits.memory)}`, end)
  ];
}

function row(attempt: Attempt, journal: Journal, top: number): SVGElement[] {
  const { limits } = journal;
  const scale = bars(journal);
  const y = top + 14;
  const end = { 'text-anchor': 'end' };
  const marked = (name: 'requests' | 'cpu' | 'memory'): Record<string, string> =>
    attempt.over === name ? { ...end, fill: BAD } : attempt.near.includes(name) ? { ...end, fill: WARN } : end;
  const again = attempt.attempt > 1 ? ` (${attempt.attempt})` : '';
  const cpu = attempt.cpu_ms === null ? NOTHING : duration(attempt.cpu_ms);
  const peak = attempt.memory_peak === null ? NOTHING : memory(attempt.memory_peak);
  const parts: SVGElement[] = [
    fileText(58, y, `#${attempt.number}`, end),
    fileText(68, y, cut(attempt.method + again, 18)),
    fileText(190, y, cut(told(attempt), 20), { fill: attempt.failed ? BAD : INK }),
    fileText(RIGHT.requests, y, `${mark(attempt, 'requests')}${count(attempt.requests)}`, marked('requests')),
    fileText(RIGHT.share, y, percent(attempt.requests, limits.requests), { ...end, fill: QUIET }),
    fileText(RIGHT.cpu, y, `${mark(attempt, 'cpu')}${cpu}`, marked('cpu')),
    fileText(RIGHT.memory, y, `${mark(attempt, 'memory')}${peak}`, marked('memory'))
  ];
  let base = 0;
  for (const [kind, number] of attempt.spent) {
    const x = scale.at(Math.min(base, limits.requests));
    const width = Math.max(0.5, scale.at(Math.min(base + number, limits.requests)) - x);
    parts.push(svgElement('rect', { x, y: top + 4, width, height: 12, fill: KIND_COLOURS[kind] }));
    base += number;
  }
  if (attempt.over === 'requests') {
    parts.push(fileText(BAR.right + 5, y, OVER, { fill: BAD }));
  }
  return parts;
}

function vertical(x: number, y1: number, y2: number, attributes: Record<string, string | number>): SVGElement {
  return svgElement('line', { x1: x, x2: x, y1, y2, ...attributes });
}

function cut(words: string, most: number): string {
  const characters = [...words];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : words;
}
