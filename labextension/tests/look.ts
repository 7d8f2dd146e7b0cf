/** One picture by itself, without Jupyter and without a kernel: `npm run look` serves it. */

import '../style/index.css';
import { mount } from '../src/charts/picture';
import { PANELS } from '../src/charts/wire';
import type { Picture } from '../src/charts/wire';

const asked = new URLSearchParams(location.search);
const name = asked.get('picture') ?? 'first_sync';
const answer = await fetch(`/tests/fixtures/pictures/${encodeURIComponent(name)}.json`);
if (!answer.ok) {
  throw new Error(`there is no tests/fixtures/pictures/${name}.json`);
}
const picture = (await answer.json()) as Picture;
const panel = PANELS.find(each => each === asked.get('panel')) ?? picture.panel;
mount(document.body, { ...picture, panel }, null, {
  follow: false,
  trusted: () => false,
  save: () => undefined
});
