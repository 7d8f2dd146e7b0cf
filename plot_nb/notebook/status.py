"""The runtime at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.notebook.commands import Picture
from plot_nb.notebook.looking import tasks_frame
from plot_nb.notebook.naming import named
from plot_nb.runtime import Runtime, TwistHandle

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = [
    "twist",
    "version",
    "state",
    "waits",
    "next due",
    "dead letters",
    "webhooks",
    "executions",
    "keys",
]


def status(runtime: Runtime) -> Picture:
    """File, clock and what is installed, with what waits in each."""
    from plot_nb import view
    from plot_nb.view.hostile import line, markup
    from plot_nb.view.style import page

    head = [
        f"{runtime.path}{' (temporary)' if runtime._folder else ''}",
        f"{runtime.clock} clock: {runtime.now:%Y-%m-%d %H:%M:%S} UTC",
        f"seed {runtime.seed}",
    ]
    if runtime._server is not None:
        head.append(f"webhooks are served at {runtime._server.url}")
    text = line(" · ".join(head), 500)
    frame = status_frame(runtime)
    if not len(frame):
        text += ". Nothing is deployed yet: run a %%twist cell."
        return Picture({"text/html": page(f"<p>{markup(text)}</p>"), "text/plain": text})
    table = view.table(frame, "What is installed")
    return Picture(
        {
            "text/html": page(f'<p class="m">{markup(text)}</p>') + table["text/html"],
            "text/plain": f"{text}\n{table['text/plain']}",
        }
    )


def status_frame(runtime: Runtime) -> pd.DataFrame:
    """One row per instance."""
    import pandas as pd

    return pd.DataFrame([_row(runtime, twist) for twist in runtime.twists()], columns=_COLUMNS)


def _row(runtime: Runtime, twist: TwistHandle) -> tuple[object, ...]:
    waiting = tasks_frame([twist])
    webhooks = runtime.webhooks(twist)
    return (
        named(twist),
        twist.version,
        _state(twist),
        len(waiting),
        waiting["run_at"].min() if len(waiting) else None,
        len(runtime.dead_letters(twist)),
        int((~webhooks["deleted"].astype(bool)).sum()),
        twist.executions["execution"].nunique(),
        len(twist.store),
    )


def _state(twist: TwistHandle) -> str:
    instance = twist._instance
    if not instance.active:
        return "deactivated"
    reasons = {"user": "suspended by its user", "rate": "suspended for its rate"}
    return reasons[instance.suspended] if instance.suspended else "active"
