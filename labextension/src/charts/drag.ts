/** A pointer that is pressed: what it does until it is let go. */

import { listen } from './dom';

/** From how many pixels on it is a drag and no click. */
const DRAGGED = 4;

/**
 * Follow a pointer from where it was pressed.
 *
 * @param moved Called with the pixels that it went, since the call before.
 * @param clicked Called if it was let go where it was.
 */
export function drag(
  host: HTMLElement,
  pressed: PointerEvent,
  moved: (x: number, event: PointerEvent) => void,
  clicked: () => void
): void {
  let last = pressed.clientX;
  let dragged = false;
  const stop = (): void => undo.forEach(undo => undo());
  const move = (event: PointerEvent): void => {
    if (event.buttons === 0) {
      // It was let go elsewhere.
      stop();
      return;
    }
    if (!dragged && Math.abs(event.clientX - pressed.clientX) >= DRAGGED) {
      dragged = true;
      // Not before: a captured pointer would take the double click from its target.
      host.setPointerCapture(pressed.pointerId);
    }
    if (dragged) {
      moved(event.clientX - last, event);
      last = event.clientX;
    }
  };
  const letGo = (): void => {
    stop();
    if (!dragged) {
      clicked();
    }
  };
  const undo = [
    listen(host, 'pointermove', move),
    listen(host, 'pointerup', letGo),
    listen(host, 'pointercancel', stop)
  ];
}
