"""Live inspectors, as Jupyter widgets; and what answers the pictures of a notebook, which needs no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plot_nb.widgets.inspectors import (
        Budget,
        Chain,
        ExecutionInspector,
        Inspector,
        Progress,
        StoreInspector,
    )

__all__ = ["Budget", "Chain", "ExecutionInspector", "Inspector", "Progress", "StoreInspector"]


def __getattr__(name: str) -> Any:
    # Late, since ipywidgets takes a third of a second, and not every machine has it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from plot_nb.widgets import inspectors
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("plot_nb"):
            raise
        raise ImportError(f"{name} is a Jupyter widget: pip install 'plot_nb[lab]' ({error})") from error
    return getattr(inspectors, name)


def __dir__() -> list[str]:
    return sorted(__all__)
