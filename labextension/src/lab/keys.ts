/** Which keys a picture keeps to itself. */

const PICTURE = '.pnb';
const WRITES = 'input, textarea, select, [contenteditable]';
const SUPPRESSED = 'data-lm-suppress-shortcuts';

/**
 * While a picture has the focus, its keys do nothing to the notebook: arrows move through the chart and not to
 * another cell, and two d's delete none. A letter with Ctrl or Cmd goes through, but from a text field only the s
 * that saves.
 */
export function keepKeys(window: Window): () => void {
  const decide = (event: KeyboardEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const picture = target?.closest(PICTURE);
    if (target && picture) {
      const passes = isChord(event) && (event.key.toLowerCase() === 's' || target.closest(WRITES) === null);
      // Those of a notebook are looked for from whatever has the focus, those of the application further out.
      target.toggleAttribute(SUPPRESSED, !passes);
      picture.toggleAttribute(SUPPRESSED, !passes);
    }
  };
  // The application listens at the document; the window is asked before.
  window.addEventListener('keydown', decide, true);
  return () => window.removeEventListener('keydown', decide, true);
}

function isChord(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && /^[a-z]$/i.test(event.key);
}
