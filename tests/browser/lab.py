"""JupyterLab and Notebook as their users have them, driven through a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, Page

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # What is not on this machine cannot be found: a picture that loads something is seen to fail.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"

# Notebook 7.6 says so at every start, with no extension at all.
_OF_NOTEBOOK = "Cannot read properties of undefined (reading 'schema')"
_OPEN = "() => window.jupyterapp?.shell.currentWidget?.context?.isReady"
_IDLE = """
() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    const kernel = context?.session?.kernel;
    return context?.isReady && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}
"""
# A kernel says that it is idle after each message of a picture, also while a cell runs.
_RAN = """
() => window.jupyterapp.shell.currentWidget.content.widgets.every(
    cell => cell.model.type !== 'code' || cell.model.executionState !== 'running')
"""
_BEGUN = """
([id, before]) => window.jupyterapp.shell.currentWidget.content.widgets.some(
    ({ model }) => model.sharedModel.id === id
        && (model.executionState === 'running' || ![null, before].includes(model.executionCount ?? null)))
"""
_SHUTDOWN = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
_COMMAND = """
async ([id, args, wait]) => {
    const done = window.jupyterapp.commands.execute(id, args);
    if (wait) await done;
}
"""
_SELECT = "(place) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = place; }"
_AXE = """
async (element) => {
    const { violations } = await window.axe.run(element, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, impact, help, nodes }) =>
        nodes.map(({ target }) => `${impact}: ${id}: ${target.join(' ')}: ${help}`));
}
"""
_CELLS = """
() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => ({
    id: cell.model.sharedModel.id,
    count: cell.model.executionCount ?? null,
    outputs: cell.model.outputs?.toJSON() ?? [],
}))
"""


class Lab:
    """A server of JupyterLab, or of Notebook 7, on a free port, on a folder."""

    def __init__(
        self,
        folder: Path,
        settings: Path,
        *,
        app: Literal["jupyterlab", "notebook"] = "jupyterlab",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            folder: Where its notebooks are.
            settings: Where it keeps the user's settings.
            app: Which of the two.
            environment: Variables for it and its kernels; `JUPYTER_PATH` has it find other kernels.
        """
        self.folder = folder
        self.path = "/lab/tree/{}?reset" if app == "jupyterlab" else "/notebooks/{}"
        name = "JupyterNotebookApp"
        if app == "jupyterlab":
            name = "LabApp"
            asks = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
            asks.parent.mkdir(parents=True)
            asks.write_text('{"fetchNews": "false"}')
        self._server = subprocess.Popen(
            [
                *(sys.executable, "-m", app, "--no-browser", "--allow-root", "--port=0"),
                *(f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.password="),
                *(f"--{name}.expose_app_in_browser=True", f"--{name}.user_settings_dir={settings}"),
            ],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._server.stderr is not None
        lines = iter(self._server.stderr)
        self.url = next(found[0] for line in lines if (found := re.search(r"http://localhost:\d+", line)))
        self._drain = threading.Thread(target=lambda: [None for _ in lines], daemon=True)
        self._drain.start()

    def write(self, name: str, *sources: str, kernel: str = "python3") -> None:
        """Put a notebook into its folder: cells c0, c1 and so on, for the kernel of that name."""
        cells = [new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]
        spec = {"display_name": kernel, "language": "python", "name": kernel}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), self.folder / name)

    def close(self) -> None:
        """End the server and its kernels."""
        self._server.terminate()
        self._server.wait()
        self._drain.join()
        assert self._server.stderr is not None
        self._server.stderr.close()


class Notebook:
    """A notebook that is open in a browser's page, as tall as it needs to be."""

    def __init__(self, browser: Browser, lab: Lab, name: str) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1300, "height": 1000}, device_scale_factor=1.25)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.goto(lab.url + lab.path.format(name))
        self.page.wait_for_function(_IDLE, timeout=60_000)

    def _note(self, problem: str) -> None:
        if problem != _OF_NOTEBOOK:
            self.problems.append(problem)

    def reload(self) -> None:
        """Load the page again, also while a cell runs."""
        self.page.reload()
        self.page.wait_for_function(_OPEN, timeout=60_000)

    def command(self, id: str, *, wait: bool = True, **args: Any) -> None:
        """Execute one of JupyterLab's commands."""
        self.page.evaluate(_COMMAND, [id, args, wait])

    def run_all(self) -> None:
        """Run every cell, and wait for the last."""
        self.command("notebook:run-all-cells")
        self.wait()

    def run(self, id: str) -> None:
        """Run one cell, and wait for it."""
        self.begin(id)
        self.wait()

    def begin(self, id: str) -> None:
        """Run one cell, without waiting for it."""
        cells = self.cells()
        self.page.evaluate(_SELECT, list(cells).index(id))
        self.command("notebook:run-cell", wait=False)
        self.page.wait_for_function(_BEGUN, arg=[id, cells[id]["count"]])

    def wait(self) -> None:
        """Wait until no cell runs."""
        self.page.wait_for_function(_RAN, timeout=120_000)
        self.page.wait_for_function(_IDLE)

    def close(self) -> None:
        """End the kernel, and close the page."""
        self.page.evaluate(_SHUTDOWN)
        self.page.close()

    def cells(self) -> dict[str, Any]:
        """Execution count and outputs by the cell's id."""
        return {cell["id"]: cell for cell in self.page.evaluate(_CELLS)}

    def output(self, id: str) -> Locator:
        """The outputs of a cell, on the screen."""
        place = list(self.cells()).index(id)
        return self.page.locator(".jp-Notebook-cell").nth(place).locator(".jp-Cell-outputArea")

    def complaints(self, shown: Locator) -> list[str]:
        """What axe finds wrong in a part of the page, each with how bad it is: `serious: color-contrast: …`."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.add_script_tag(path=AXE)
        found: list[str] = shown.evaluate(_AXE)
        return found

    def theme(self, name: str) -> None:
        """Change the colours of all JupyterLab."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === '{name}'")

    def unfold(self) -> None:
        """Make the window as tall as the notebook, so that all of it is drawn."""
        if "/lab/" in self.page.url:
            self.command("application:set-mode", mode="single-document")
            self.command("application:toggle-left-area")
        height = self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
        self.page.set_viewport_size({"width": 1300, "height": int(height) + 200})
        self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)")
