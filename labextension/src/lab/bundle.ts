/** A picture as it stands in an output. */

import type { Picture } from '../charts/wire';

/** JSON text, for a notebook is written with each number of an object on a line of its own. */
export function pictureOf(data: unknown): Picture {
  try {
    return (typeof data === 'string' ? JSON.parse(data) : (data ?? null)) as Picture;
  } catch {
    return null as unknown as Picture; // who draws it says that it is damaged
  }
}

/** Under which key the kernel answers for it; null where none does. */
export function sourceOf(data: unknown): string | null {
  const picture = pictureOf(data) as Partial<Picture> | null;
  return typeof picture?.source === 'string' ? picture.source : null;
}
