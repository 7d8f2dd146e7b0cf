from __future__ import annotations

import subprocess
import sys

LOAD = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
before = time.process_time()
shell.run_line_magic("load_ext", "plot_nb")
print(time.process_time() - before)
print(*(name for name in ("pandas", "numpy", "httpx", "wasmtime") if name in sys.modules))
"""


def test_loading_is_quick_and_imports_nothing_heavy() -> None:
    # Time of this process's CPU: what else the machine does is not loading.
    loaded = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    seconds, heavy = loaded.stdout.split("\n")[:2]

    assert float(seconds) < 0.5
    assert heavy == ""
