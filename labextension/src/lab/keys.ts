/** Which keys a picture keeps to itself. */

const PICTURE = '.plot-nb-output';
const WRITES = 'input, textarea, select, [contenteditable]';
const SUPPRESSED = 'data-lm-suppress-shortcuts';

/**
 * While a picture has the focus, its keys do nothing to the notebook: arrows move through the chart and not to
 * another cell, and two d's delete none. What is pressed with Ctrl or Cmd goes through, but from a text field.
 */
export function keepKeys(window: Window): () => void {
  const decide = (event: KeyboardEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const picture = target?.closest(PICTURE);
    if (target && picture) {
      const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's';
      const isChord = (event.ctrlKey || event.metaKey) && /^[a-z]$/i.test(event.key);
      picture.toggleAttribute(SUPPRESSED, !isSave && (!isChord || target.closest(WRITES) !== null));
    }
  };
  // The application listens at the document; the window is asked before.
  window.addEventListener('keydown', decide, true);
  return () => window.removeEventListener('keydown', decide, true);
}
