/** How long frames take while attempts come in, measured in a browser: `benchmarks/frames.py` runs it. */

import { budgetChart } from '../src/charts/budget';
import { chainChart } from '../src/charts/chain';
import type { Chart, Context } from '../src/charts/chart';
import { Journal } from '../src/charts/journal';
import { Selection } from '../src/charts/selection';
import { kernelOf } from './kernel';
import { rowsOf } from './rows';
import type { Made } from './rows';

export interface Asked {
  /** Attempts that are there before the first frame. */
  before: number;
  /** Attempts that come, how many at once, and how many milliseconds apart. */
  more: number;
  each: number;
  apart: number;
}

export interface Measured {
  median: number;
  p95: number;
  worst: number;
  frames: number;
  /** Milliseconds of computing that rows take until they are drawn, in the middle. */
  update: number;
  /** Attempts in the chain's picture, and nodes of it. */
  attempts: number;
  nodes: number;
}

declare global {
  interface Window {
    measure: (asked: Asked) => Promise<Measured>;
  }
}

window.measure = async asked => {
  const journal = new Journal();
  const context: Context = {
    journal,
    selection: new Selection(null),
    kernel: kernelOf({ live: true, trusted: true })
  };
  const chain = chainChart(context);
  const budget = budgetChart(context);
  show([chain, budget]);
  if (asked.before > 0) {
    journal.apply(rowsOf(attempts(1, asked.before), { running: true }));
  }
  await settled();
  const updates: number[] = [];
  const frames = await framesWhile(async () => {
    for (let made = 0; made < asked.more; made += asked.each) {
      journal.apply(
        rowsOf(attempts(asked.before + made + 1, asked.each), { running: made + asked.each < asked.more })
      );
      await pause(asked.apart);
    }
  });
  for (let times = 0; times < 9; times += 1) {
    updates.push(
      await update(journal, attempts(asked.before + asked.more + times * asked.each + 1, asked.each))
    );
  }
  const svg = chain.element.querySelector('svg') as SVGSVGElement;
  const found = {
    ...figures(frames),
    frames: frames.length,
    update: figures(updates).median,
    attempts: Number(svg.dataset['bars']) + Number(svg.dataset['heaped']),
    nodes: svg.querySelectorAll('*').length
  };
  [chain, budget].forEach(chart => chart.dispose());
  return found;
};

function show(charts: Chart[]): void {
  const host = document.createElement('div');
  host.className = 'pnb';
  host.append(...charts.map(chart => chart.element));
  document.body.replaceChildren(host);
}

/** A chain of which every seventh link sets off two more, now and then tried again. */
function attempts(from: number, length: number): Made[] {
  return Array.from({ length }, (_, place) => {
    const id = from + place;
    const started = 45 * id;
    return {
      id,
      parent: id > 1 ? id - (id % 7 === 0 ? 2 : 1) : null,
      method: id > 1 ? 'sync_page' : 'start_sync',
      outcome: id % 613 === 0 ? 'error' : 'ok',
      spent: { store: (id * 7) % 400, network: (id * 13) % 90, callbacks: 1, tasks: 1, plot: (id * 3) % 300 },
      queued: started - 6,
      started,
      ended: started + 40
    };
  });
}

/** How long it takes to take rows in and to draw them, layout included. */
async function update(journal: Journal, made: Made[]): Promise<number> {
  const rows = rowsOf(made);
  const began = performance.now();
  journal.apply(rows);
  const applied = performance.now() - began;
  let drawing = 0;
  await frame();
  // A frame's callbacks run in the order they were asked for: this, the charts', the awaited one.
  requestAnimationFrame(() => {
    drawing = performance.now();
  });
  journal.apply(rows);
  await frame();
  document.body.getBoundingClientRect();
  return applied + performance.now() - drawing;
}

async function framesWhile(work: () => Promise<void>): Promise<number[]> {
  const found: number[] = [];
  let goes = true;
  let last = 0;
  const next = (time: number): void => {
    if (last > 0) {
      found.push(time - last);
    }
    last = time;
    if (goes) {
      requestAnimationFrame(next);
    }
  };
  requestAnimationFrame(next);
  await work();
  goes = false;
  return found;
}

function figures(times: number[]): { median: number; p95: number; worst: number } {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { median: at(0.5), p95: at(0.95), worst: at(1) };
}

function frame(): Promise<number> {
  return new Promise(resolve => requestAnimationFrame(resolve));
}

async function settled(): Promise<void> {
  for (let times = 0; times < 5; times += 1) {
    await frame();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
