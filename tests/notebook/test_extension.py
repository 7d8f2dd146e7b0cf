from __future__ import annotations

import subprocess
import sys

LOAD = """
import sys, threading, time
from IPython.core.interactiveshell import InteractiveShell

class Imports:
    # Those of this thread: the one that compiles the sandbox may be as far as it likes by then.
    names = set()

    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.names.add(name)

shell = InteractiveShell.instance()
sys.meta_path.insert(0, Imports())
before = time.thread_time()
shell.run_line_magic("load_ext", "plot_nb")
print(time.thread_time() - before)
print(*Imports.names & {"pandas", "numpy", "httpx", "wasmtime", "ipywidgets", "anywidget"})
"""


def test_loading_is_quick_and_imports_nothing_heavy() -> None:
    # Time of this thread's CPU: what else the machine does is not loading.
    loaded = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    seconds, heavy = loaded.stdout.split("\n")[:2]

    assert float(seconds) < 0.5
    assert heavy == ""
