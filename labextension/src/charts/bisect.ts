/** Where in sorted things something begins to be so. */

/** The first place of what is found; all behind it are. The length where none is. */
export function firstWhere<T>(sorted: readonly T[], found: (each: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  // Most questions are about the end.
  if (high === 0 || !found(sorted[high - 1] as T)) {
    return high;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (found(sorted[middle] as T)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
