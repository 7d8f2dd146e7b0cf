"""Frames of the charts while executions come in, in a headless Chromium.

    python benchmarks/frames.py [ATTEMPTS ...]

Attempts arrive as a kernel sends them: 40 every 100 ms, into the chain and the budget at once.
A frame of a screen with 60 of them a second is 16.7 ms. Nothing is asserted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FRONT_END = Path(__file__).parents[1] / "labextension"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SIZES = [200, 2_000, 10_000, 100_000]


@dataclass(frozen=True, slots=True)
class Frames:
    """What a browser measured; times are in milliseconds.

    Attributes:
        update: Computing from rows that arrive to their drawing, layout included.
        attempts: Attempts in the picture of the chain.
        nodes: SVG elements that it takes.
    """

    median: float
    p95: float
    worst: float
    frames: int
    update: float
    attempts: int
    nodes: int


def bundle() -> str:
    """The page's script, made of the charts' sources as they are now."""
    subprocess.run([sys.executable, FRONT_END / "build.py", "frames"], check=True, stdout=subprocess.DEVNULL)
    return (FRONT_END / "lib" / "frames.js").read_text(encoding="utf-8")


def style() -> str:
    """The charts' style sheets, one after the other."""
    folder = FRONT_END / "style"
    names = (
        line.split("'")[1] for line in (folder / "index.css").read_text().splitlines() if "@import" in line
    )
    return "\n".join(path.read_text() for name in names if (path := folder / name).exists())


def measure(
    browser: Browser, script: str, *, before: int, more: int, each: int = 40, apart: int = 100
) -> Frames:
    """Let attempts come into a chain and a budget, and time the frames meanwhile.

    Args:
        browser: Any Chromium.
        script: What `bundle` made.
        before: Attempts that are there already.
        more: Attempts that come.
        each: How many at once.
        apart: Milliseconds between.
    """
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content(f"<style>{style()}</style><body></body>")
    page.add_script_tag(content=script)
    asked = {"before": before, "more": more, "each": each, "apart": apart}
    found = page.evaluate("asked => window.measure(asked)", asked)
    page.close()
    if problems:
        raise RuntimeError(f"the charts failed: {problems[0]}")
    return Frames(**found)


def main() -> None:
    """Measure each size."""
    sizes = [int(name) for name in sys.argv[1:]] or SIZES
    print(f"{'attempts':>9} {'median':>7} {'p95':>7} {'worst':>7} {'update':>7} {'nodes':>6}   (ms)")
    script = bundle()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size in sizes:
            each = min(40, size // 20)
            found = measure(browser, script, before=size, more=40 * each, each=each)
            times = f"{found.median:7.1f} {found.p95:7.1f} {found.worst:7.1f} {found.update:7.1f}"
            print(f"{size:9,} {times} {found.nodes:6}")
        browser.close()


if __name__ == "__main__":
    main()
