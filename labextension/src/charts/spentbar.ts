/** A bar of what was spent. */

import { element } from './dom';
import type { Kind } from './wire';

/** Requests by kind, or something that has none, against their limit: the end of the bar. */
export function spentBar(spent: readonly (readonly [Kind | null, number])[], limit: number): HTMLElement {
  const made = element('span', { class: 'pnb-ex-share', 'aria-hidden': 'true' });
  const total = spent.reduce((sum, [, number]) => sum + number, 0);
  const scale = 100 / Math.max(limit, total, 1);
  for (const [kind, number] of spent) {
    made.append(
      element('i', {
        class: kind === null ? 'pnb-ex-plain' : `pnb-kind-${kind}`,
        style: { width: `${(number * scale).toFixed(2)}%` }
      })
    );
  }
  return made;
}
