"""Builds the WebAssembly component that every wheel carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType

SANDBOX = Path("plot_nb", "sandbox")


class ComponentHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the component where the package looks for it, before files are gathered."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the component, or find it built from the same sources.

        Args:
            version: `standard` or `editable`.
            build_data: What hatchling knows of the wheel; the component is added to it.
        """
        sandbox = Path(self.root) / SANDBOX
        component: Path = _load(sandbox / "build.py").build(sandbox)
        if version == "standard":
            # Git ignores the component, and hatchling leaves out what git ignores.
            build_data["artifacts"].append(f"/{(SANDBOX / component.name).as_posix()}")


def _load(path: Path) -> ModuleType:
    """Import one file by itself: in a build environment plot_nb's dependencies are missing."""
    spec = importlib.util.spec_from_file_location("plot_nb_sandbox_build", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
