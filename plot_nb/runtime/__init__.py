"""The runtime that a notebook uses: deploy a twist, call it, look at what happened. Knows no IPython."""

from plot_nb.runtime.handle import TwistHandle
from plot_nb.runtime.in_use import current, opened, use
from plot_nb.runtime.run import Run
from plot_nb.runtime.runtime import Runtime
from plot_nb.runtime.upgrading import UpgradeReport

__all__ = ["Run", "Runtime", "TwistHandle", "UpgradeReport", "current", "opened", "use"]
