"""How child processes of the sandbox are started: isolated, and without the user's environment."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

# Importing `plot_nb` itself would load the whole runtime into every child.
_BOOTSTRAP = """
import importlib, sys, types
package = types.ModuleType("plot_nb")
package.__path__ = [sys.argv.pop(1)]
sys.modules["plot_nb"] = package
sys.path.append(sys.argv.pop(1))
sys.exit(importlib.import_module(sys.argv.pop(1)).main(sys.argv[1:]))
"""

# What the dynamic linker may need to find the interpreter's own library.
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT")


def command(module: str, *arguments: str) -> list[str]:
    """The command line of a child that runs `module.main(arguments)`."""
    wasmtime = importlib.util.find_spec("wasmtime")
    if wasmtime is None or wasmtime.origin is None:
        raise ModuleNotFoundError("the sandbox runs on wasmtime: pip install wasmtime", name="wasmtime")
    package = Path(__file__).resolve().parent.parent
    packages = Path(wasmtime.origin).parent.parent
    return [
        sys.executable,
        "-I",
        "-X",
        "utf8",
        "-c",
        _BOOTSTRAP,
        str(package),
        str(packages),
        module,
        *arguments,
    ]


def environment() -> dict[str, str]:
    """What a child needs of the environment, which is next to nothing."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
