"""One program: its source, its twist class, and what its methods are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

import plot_nb.twist
from plot_nb.sandbox.guest.importer import Importer, execute, filename
from plot_nb.twist.twist import Build, Twist, equip

DOC_LIMIT = 2000


class Program:
    """A loaded program.

    Attributes:
        cell: The file name of the cell.
        files: The file names of all of the program's sources.
        twist: Its class.
    """

    def __init__(self, text: Mapping[str, Any], importer: Importer) -> None:
        """Take the text; nothing runs before `load`."""
        self.cell: str = text["filename"]
        self._name: str | None = text["name"]
        self._source: str = text["source"]
        self._modules: dict[str, str] = text.get("modules") or {}
        self._importer = importer
        self.files = frozenset([self.cell, *map(filename, self._modules)])
        self.twist: type[Twist]

    def load(self) -> None:
        """Run the source and find the class.

        Raises:
            ValueError: If there is no such class, or there are two, or a module's name is taken.
            BaseException: Whatever the source raises.
        """
        for name in self._modules:
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in {"plot_nb", "__main__"}:
                raise ValueError(f"a module given at deploy cannot be named {name!r}: {top!r} is taken")
        self._importer.sources = self._modules
        # Named __main__ as in a notebook, so that tracebacks show the cell's exceptions by their bare names.
        module = ModuleType("__main__")
        module.__dict__.update({name: getattr(plot_nb.twist, name) for name in BARE_NAMES})
        sys.modules["__main__"] = module
        execute(self._source, self.cell, module)
        self.twist = self._find(module)

    def _find(self, module: ModuleType) -> type[Twist]:
        found = {
            value: None
            for value in module.__dict__.values()
            if isinstance(value, type) and issubclass(value, Twist) and value.__module__ == "__main__"
        }
        if self._name is not None:
            named = [twist for twist in found if twist.__name__ == self._name]
            if not named:
                raise ValueError(f"the source defines no class {self._name} that extends Twist")
            return named[-1]
        twists = [twist for twist in found if not any(twist in other.__mro__[1:] for other in found)]
        if not twists:
            raise ValueError("the source defines no twist: write a class that extends Twist")
        if len(twists) > 1:
            names = ", ".join(f"{twist.__name__} (line {_line(twist)})" for twist in twists)
            raise ValueError(f"the source defines {len(twists)} twists, and a cell deploys one: {names}")
        return twists[0]

    def instance(self, options: Mapping[str, Any]) -> tuple[Twist, Build]:
        """A new instance with its tools."""
        twist = self.twist.__new__(self.twist)
        build = equip(twist, options)
        twist.__init__()  # type: ignore[misc]  # after `equip`, so that it may use the tools
        return twist, build

    def manifest(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What the engine needs to know of the program."""
        _, build = self.instance(options)
        return {
            "name": self.twist.__name__,
            "doc": _doc(self.twist),
            "line": _line(self.twist),
            "methods": {name: _describe(method) for name, method in self._methods().items()},
            "urls": build.urls,
            "lifecycle": [name for name in LIFECYCLE if name in self._methods()],
            "tools": [],
        }

    def _methods(self) -> dict[str, Callable[..., Any]]:
        found: dict[str, Callable[..., Any]] = {}
        for owner in reversed(self.twist.__mro__):
            if owner in Twist.__mro__:
                continue
            for name, value in vars(owner).items():
                if name.startswith("_"):
                    continue
                if inspect.iscoroutinefunction(value):
                    found[name] = value
                else:
                    found.pop(name, None)
        return found


LIFECYCLE = ("activate", "upgrade", "deactivate", "on_options_changed")
"""The events of a twist's life for which it may have a method."""

BARE_NAMES = ("Twist", "Tool", "Network", "Uuid", "Url", "UNDEFINED", "fetch", "now")
"""What a cell need not import."""


def _describe(method: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    unbounded = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    code = inspect.unwrap(method)
    return {
        "line": code.__code__.co_firstlineno if isinstance(code, FunctionType) else 0,
        "required": sum(p.default is p.empty for p in positional),
        "maximum": None if unbounded else len(positional),
        "names": [p.name for p in positional],
        "doc": _doc(method),
    }


def _line(twist: type[Twist]) -> int:
    line: int = getattr(twist, "__firstlineno__", 0)
    return line


def _doc(described: object) -> str:
    # Not inspect.getdoc, which goes to the base class for one.
    doc = getattr(described, "__doc__", None)
    return inspect.cleandoc(doc)[:DOC_LIMIT] if isinstance(doc, str) else ""
