"""Builds the WebAssembly component from `plot_nb/twist` and `plot_nb/sandbox/guest`.

Stands alone: a build environment has `componentize-py` and nothing else of what `plot_nb` needs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

NAME = "twist.wasm"
WORLD = "twist"
PACKAGE = Path(__file__).resolve().parent.parent

COMPONENTIZE = "0.25.1"
"""The version that builds, part of what identifies a build; an installed component is never rebuilt for another."""

_SECTION = b"plot_nb"
# pip brings what a build needs by `PYTHONPATH`, which the child does not get: so it is told where to look.
_SCRIPT = "import sys; sys.path.insert(0, sys.argv.pop(1)); import componentize_py; componentize_py.script()"


class BuildError(Exception):
    """The component could not be built."""


def build(target: Path | str) -> Path:
    """Build the component into a directory; does nothing if it is there, built from the same sources.

    Args:
        target: The directory that gets `twist.wasm`.

    Raises:
        BuildError: If `componentize-py` is missing or fails.
    """
    component = Path(target) / NAME
    key = _key()
    if _key_of(component) == key:
        return component
    _require_componentize()
    with tempfile.TemporaryDirectory(prefix="plot_nb-build-") as folder:
        stage = Path(folder)
        for path in _sources():
            copy = stage / "source" / path.relative_to(PACKAGE.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        (stage / "source/plot_nb/__init__.py").write_text(_public())
        (stage / "source/plot_nb/sandbox/__init__.py").write_text("")
        # An environment that it finds would be searched for packages and could change what is built.
        (stage / "venv/lib/python3.14/site-packages").mkdir(parents=True)
        world = ["-d", str(PACKAGE / "sandbox/guest/wit"), "-w", WORLD]
        _componentize(stage, *world, "bindings", "bindings")
        app = "plot_nb.sandbox.guest.app"
        _componentize(stage, *world, "componentize", app, "-p", "source", "-p", "bindings", "-o", NAME)
        content = (stage / NAME).read_bytes() + _section(key)
    # Renamed into place, so that nobody sees half of it.
    fresh = component.with_name(f"{NAME}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(component)
    return component


def _sources() -> Iterator[Path]:
    for folder in ("twist", "sandbox/guest"):
        yield from sorted(path for path in (PACKAGE / folder).rglob("*.py"))


def _public() -> str:
    """The `plot_nb` of the inside: the API's names, and no runtime."""
    return '"""Plot, inside a twist."""\n\nfrom plot_nb.twist import *\n'


def _key() -> str:
    digest = hashlib.sha256()
    wit = sorted((PACKAGE / "sandbox/guest/wit").rglob("*.wit"))
    for path in [Path(__file__), *wit, *_sources()]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    digest.update(COMPONENTIZE.encode())
    return digest.hexdigest()


def _require_componentize() -> None:
    try:
        version = importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version != COMPONENTIZE:
        raise BuildError(
            f"the component is built by componentize-py {COMPONENTIZE}, here is {version or 'none'}: "
            f"pip install componentize-py=={COMPONENTIZE}"
        )


def _section(key: str) -> bytes:
    """A custom section, which WebAssembly ignores: what the component was built from."""
    content = bytes([len(_SECTION)]) + _SECTION + key.encode("ascii")
    return bytes([0, len(content)]) + content


def _key_of(component: Path) -> str | None:
    size = len(_section("0" * 64))
    try:
        with component.open("rb") as file:
            file.seek(-size, os.SEEK_END)
            tail = file.read()
    except OSError:
        return None
    key = tail[-64:].decode("ascii", "replace")
    return key if tail.startswith(_section("")[2:], 2) else None


def _componentize(folder: Path, *arguments: str) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))
    }
    environment["VIRTUAL_ENV"] = str(folder / "venv")
    packages = importlib.metadata.distribution("componentize-py").locate_file("")
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(packages), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"componentize-py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(build(Path(__file__).resolve().parent))
