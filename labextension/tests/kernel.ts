/** A kernel as charts know it, that has nothing to say; and a page's next frame. */

import type { Kernel } from '../src/charts/chart';

export function kernelOf(more: Partial<Kernel> = {}): Kernel {
  return {
    live: false,
    trusted: false,
    detail: () => Promise.resolve(),
    values: () => Promise.resolve(new Map()),
    state: () => Promise.resolve([]),
    write: () => Promise.resolve(),
    subscribe: () => () => undefined,
    ...more
  };
}

export const nextFrame = (): Promise<unknown> => new Promise(resolve => requestAnimationFrame(resolve));
