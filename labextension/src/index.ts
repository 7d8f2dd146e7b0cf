import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
const plugin: JupyterFrontEndPlugin<void> = { id: 'plot-nb:renderer', autoStart: true, activate: (app: JupyterFrontEnd) => { void app; } };
export default plugin;
