"""JupyterLab as its users have it, driven through a browser."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

_IDLE = """
() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    const kernel = context?.session?.kernel;
    return context?.isReady && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}
"""
_COMMAND = """
async ([id, args, wait]) => {
    const done = window.jupyterapp.commands.execute(id, args);
    if (wait) await done;
}
"""
_SELECT = "(place) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = place; }"
_CELLS = """
() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => ({
    id: cell.model.sharedModel.id,
    count: cell.model.executionCount ?? null,
    outputs: cell.model.outputs?.toJSON() ?? [],
}))
"""


class Lab:
    """A JupyterLab server on a free port, on a folder."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self.folder = folder
        asks = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        asks.parent.mkdir(parents=True)
        asks.write_text('{"fetchNews": "false"}')
        self._server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"),
                *(f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.password="),
                *("--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={settings}"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._server.stderr is not None
        lines = iter(self._server.stderr)
        self.url = next(found[0] for line in lines if (found := re.search(r"http://localhost:\d+", line)))
        self._drain = threading.Thread(target=lambda: [None for _ in lines], daemon=True)
        self._drain.start()

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
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(f"{lab.url}/lab/tree/{name}?reset")
        self.page.wait_for_function(_IDLE, timeout=60_000)

    def command(self, id: str, *, wait: bool = True, **args: Any) -> None:
        """Execute one of JupyterLab's commands."""
        self.page.evaluate(_COMMAND, [id, args, wait])

    def run_all(self) -> None:
        """Run every cell, and wait for the last."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(_IDLE)

    def run(self, id: str) -> None:
        """Run one cell, and wait for it."""
        self.page.evaluate(_SELECT, list(self.cells()).index(id))
        self.command("notebook:run-cell")
        self.page.wait_for_function(_IDLE)

    def close(self) -> None:
        """Close the page."""
        self.page.close()

    def cells(self) -> dict[str, Any]:
        """Execution count and outputs by the cell's id."""
        return {cell["id"]: cell for cell in self.page.evaluate(_CELLS)}

    def output(self, id: str) -> Locator:
        """The outputs of a cell, on the screen."""
        place = list(self.cells()).index(id)
        return self.page.locator(".jp-Notebook-cell").nth(place).locator(".jp-Cell-outputArea")

    def theme(self, name: str) -> None:
        """Change the colours of all JupyterLab."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === '{name}'")

    def unfold(self) -> None:
        """Make the window as tall as the notebook, so that all of it is drawn."""
        self.command("application:set-mode", mode="single-document")
        self.command("application:toggle-left-area")
        height = self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
        self.page.set_viewport_size({"width": 1300, "height": int(height) + 200})
        self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)")
