/** Which attempts belong together. */

import type { Journal } from './journal';

/** Since when it waited: the end of the attempt before it, or when it was queued; null where nobody knows. */
export function waitedSince(journal: Journal, index: number): number | null {
  const previous = journal.previousOf(index);
  return previous >= 0 ? journal.endedAt(previous) : journal.queuedAt(index);
}

/** The first attempt that one set off: the next at the same execution, or of what it queued; -1. */
export function firstSetOff(journal: Journal, index: number): number {
  const { execution } = journal.attempt(index);
  for (let later = journal.lastAttemptOf(execution); later > index; later = journal.previousOf(later)) {
    if (journal.previousOf(later) === index) {
      return later;
    }
  }
  return journal.childrenOf(execution)[0] ?? -1;
}
