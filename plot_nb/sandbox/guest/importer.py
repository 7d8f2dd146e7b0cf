"""Imports inside the sandbox, where there is no file system: from memory, or not at all."""

from __future__ import annotations

import linecache
import marshal
import sys
import zlib
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

# Not importable, or pointless, without files, processes, threads, sockets or a terminal.
LEFT_OUT = frozenset(
    {
        "_android_support",
        "_apple_support",
        "_ios_support",
        "_pyrepl",
        "antigravity",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pip",
        "site-packages",
        "test",
        "tests",
        "tkinter",
        "turtle",
        "turtledemo",
        "venv",
        "__phello__",
        "__pycache__",
    }
)


class Library:
    """The pure-Python standard library as compressed code objects."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[bool, bytes]] = {}

    def collect(self, root: Path) -> None:
        """Compile every module below `root`; done once, when the component is built."""
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if LEFT_OUT.intersection(parts) or not all(part.isidentifier() for part in parts):
                continue
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            try:
                code = compile(path.read_bytes(), f"<{name}>", "exec", dont_inherit=True, optimize=2)
            except SyntaxError:
                continue
            self._codes[name] = (package, zlib.compress(marshal.dumps(code), 9))

    def __contains__(self, name: str) -> bool:
        return name in self._codes

    def __len__(self) -> int:
        return len(self._codes)

    def is_package(self, name: str) -> bool:
        """Whether a module has modules below it."""
        return self._codes[name][0]

    def code(self, name: str) -> CodeType:
        """A module's code."""
        code: CodeType = marshal.loads(zlib.decompress(self._codes[name][1]))
        return code


class Importer(MetaPathFinder, Loader):
    """Finds the modules given at deploy and the standard library.

    Attributes:
        sources: Modules given at deploy: source by name.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.sources: Mapping[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec:
        """Find a module, or say what can be imported."""
        if fullname in self.sources:
            below = any(name.startswith(f"{fullname}.") for name in self.sources)
            return ModuleSpec(fullname, self, origin=filename(fullname), is_package=below)
        if any(name.startswith(f"{fullname}.") for name in self.sources):
            return ModuleSpec(fullname, None, is_package=True)
        if fullname in self._library:
            return ModuleSpec(fullname, self, is_package=self._library.is_package(fullname))
        raise ModuleNotFoundError(self._refusal(fullname), name=fullname)

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code in it."""
        name = module.__name__
        source = self.sources.get(name)
        if source is None:
            exec(self._library.code(name), module.__dict__)
        else:
            execute(source, filename(name), module)

    def _refusal(self, name: str) -> str:
        given = f", the modules given at deploy ({', '.join(sorted(self.sources))})" if self.sources else ""
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            return (
                f"No module named {name!r} in a twist: this part of the standard library needs files, sockets, "
                "processes or native code, and a sandbox has none"
            )
        return (
            f"No module named {name!r}: a twist can import the pure-Python standard library{given} and plot_nb. "
            f"Give other code at deploy: modules={{{name!r}: source}}"
        )


def filename(module: str) -> str:
    """The file name that a module given at deploy has in tracebacks."""
    return f"{module}.py"


def execute(source: str, file: str, module: ModuleType) -> None:
    """Compile and run source in a module, with its lines known to tracebacks."""
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    module.__file__ = file
    exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
