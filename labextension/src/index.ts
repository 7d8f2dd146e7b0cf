/** The plugins of JupyterLab and Notebook. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { MIME_TYPE } from './charts/wire';
import type { Session } from './lab/comm';
import { Heard } from './lab/heard';
import { twistHighlight } from './lab/highlight';
import { keepKeys } from './lab/keys';
import { RenderedPicture } from './lab/renderer';

/** Before a widget's view, which has -10 and may stand in the same output. */
const RANK = -20;

const factory = (session: Session | null, heard: Heard | null): IRenderMime.IRendererFactory => ({
  safe: true,
  mimeTypes: [MIME_TYPE],
  defaultRank: RANK,
  createRenderer: () => new RenderedPicture(session, heard)
});

const renderer: JupyterFrontEndPlugin<void> = {
  id: 'plot-nb:renderer',
  description: 'Draws what a twist did, and goes on while it runs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker],
  activate: (_: JupyterFrontEnd, registry: IRenderMimeRegistry, notebooks: INotebookTracker | null) => {
    registry.addFactory(factory(null, null), RANK);
    // Only a notebook's own registry knows in which session its outputs are.
    const connect = ({ content: { rendermime }, sessionContext }: NotebookPanel): void => {
      rendermime.removeMimeType(MIME_TYPE);
      rendermime.addFactory(factory(sessionContext, new Heard(sessionContext)), RANK);
    };
    notebooks?.forEach(connect);
    notebooks?.widgetAdded.connect((_, panel) => connect(panel));
    keepKeys(window);
  }
};

const highlight: JupyterFrontEndPlugin<void> = {
  id: 'plot-nb:highlight',
  description: 'Marks the options of %%twist.',
  autoStart: true,
  requires: [IEditorExtensionRegistry],
  activate: (_: JupyterFrontEnd, registry: IEditorExtensionRegistry) => {
    registry.addExtension({
      name: 'plot-nb:twist',
      factory: ({ inline, model }) =>
        inline ? EditorExtensionRegistry.createImmutableExtension(twistHighlight(model)) : null
    });
  }
};

export default [renderer, highlight];
