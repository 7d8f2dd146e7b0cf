"""Builds what every wheel carries beside its sources: the WebAssembly component and the front end."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType

SANDBOX = Path("plot_nb", "sandbox")
FRONT = Path("labextension")
WIDGETS = Path("plot_nb", "widgets", "static")


class PartsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the parts where the package looks for them, before files are gathered."""

    def dependencies(self) -> list[str]:
        """Tell what the build needs besides what pyproject.toml names: node, where the machine has none."""
        needed: list[str] = _load(Path(self.root) / FRONT / "build.py").requires()
        return needed

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the parts, or find them built from the same sources.

        Args:
            version: `standard` or `editable`.
            build_data: What hatchling knows of the wheel; the parts are added to it.
        """
        sandbox = Path(self.root) / SANDBOX
        component: Path = _load(sandbox / "build.py").build(sandbox)
        _load(Path(self.root) / FRONT / "build.py").build()
        if version == "standard":
            # Git ignores them, and hatchling leaves out what git ignores.
            build_data["artifacts"] += [
                f"/{(SANDBOX / component.name).as_posix()}",
                f"/{WIDGETS.as_posix()}/widget.*",
            ]


def _load(path: Path) -> ModuleType:
    """Import one file by itself: in a build environment plot_nb's dependencies are missing."""
    name = f"plot_nb_{path.parent.name}_build"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
