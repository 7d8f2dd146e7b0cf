"""Compiles the component; runs as a child process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from wasmtime.component import Component

from plot_nb.sandbox import machine


def main(arguments: Sequence[str]) -> int:
    """Compile `arguments[0]` to `arguments[1]`."""
    source, target = arguments
    if hasattr(os, "nice"):
        # The notebook's own work comes first.
        os.nice(5)
    code = bytes(Component.from_file(machine.engine(), source).serialize())
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
