"""What `%twist` shows as tables: what waits, what was kept, and what has to be looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.journal.instances import label
from plot_nb.notebook.commands import Picture
from plot_nb.notebook.naming import Namespace, find_twist, named
from plot_nb.runtime import Runtime, TwistHandle, UpgradeReport

if TYPE_CHECKING:
    import pandas as pd

_TASKS = ["method", "cause", "state", "run_at", "every", "key", "attempts", "queued", "execution"]
_WEBHOOKS = ["twist", "method", "sync", "posts", "url", "version", "created", "execution"]


def tasks(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """What waits or runs, of one twist or of all: immediate work, schedules and recurring tasks, in order of time."""
    return _shown(tasks_frame(_chosen(runtime, namespace, name)), f"What waits{_of(name)}", "Nothing waits.")


def tasks_frame(twists: list[TwistHandle]) -> pd.DataFrame:
    """One row per task that has not ended."""
    import pandas as pd

    found = []
    for twist in twists:
        frame = twist.tasks
        frame = frame[frame["state"].isin(["queued", "running"])]
        frame = frame.assign(every=pd.to_timedelta(frame["every_ms"], unit="ms"))[_TASKS]
        found.append(_named(frame, twist))
    return _together(found, ["twist", *_TASKS]).sort_values("run_at", kind="stable", ignore_index=True)


def callbacks(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """Callbacks that were not deleted, of one twist or of all."""
    columns = ["method", "args", "version", "created", "execution", "callback"]
    found = []
    for twist in _chosen(runtime, namespace, name):
        frame = twist.callbacks
        found.append(_named(frame[~frame["deleted"].astype(bool)][columns], twist))
    return _shown(_together(found, ["twist", *columns]), f"Callbacks{_of(name)}", "There are no callbacks.")


def limits(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """Where a twist stands in the windows of the rate limits, and when Plot would suspend it."""
    from plot_nb import view

    twist = find_twist(runtime, namespace, name)
    return Picture(view.windows(runtime.rates(twist), named(twist)))


def dead(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """Tasks that were given up, of one twist or of all."""
    frame = runtime.dead_letters(find_twist(runtime, namespace, name) if name else None)
    if not len(frame):
        return _said("Nothing was given up.")
    shown = _shown(_labelled(frame, runtime), f"Dead letters{_of(name)}", "")
    how = f"`%twist retry {frame['execution'].iloc[0]}` tries that one again."
    return _with(shown, how)


def activities(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """What a twist, or all of them, made in Plot."""
    found = []
    for twist in _chosen(runtime, namespace, name):
        frame = twist.activities
        found.append(_named(frame.assign(notes=frame["notes"].map(len)).drop(columns="document"), twist))
    columns = ["twist", "id", "key", "type", "title"]
    return _shown(_together(found, columns), f"Activities{_of(name)}", "There are no activities.")


def webhooks(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """Webhooks that were not deleted, of one twist or of all."""
    frame = runtime.webhooks(find_twist(runtime, namespace, name) if name else None)
    frame = frame[~frame["deleted"].astype(bool)]
    if not len(frame):
        return _said("There are no webhooks: self.tools.network.create_webhook(self.method) makes one.")
    frame = _labelled(frame, runtime)[_WEBHOOKS]
    return _with(_shown(frame, f"Webhooks{_of(name)}", ""), "`%twist webhook URL {...}` posts to one.")


def upgrade(report: UpgradeReport | None) -> Picture:
    """What an upgrade breaks, a row for each callback."""
    if report is None:
        return _said("Nothing would be replaced: the twist is new, or its source is unchanged.")
    if not report.broken and not report.may_run:
        return _said(f"{report}.")
    from plot_nb import view
    from plot_nb.view.hostile import isolated, markup
    from plot_nb.view.style import page

    frame = report.frame[["held_by", "key", "method", "made_by", "detail", "holder"]].rename(
        columns={"made_by": "made by version", "held_by": "held by", "detail": "what is wrong"}
    )
    caption = f"{report.twist}: what version {report.after} breaks"
    word = "waits and will fail" if len(report.broken) == 1 else "wait and will fail"
    note = f"{len(report.broken)} {word}; {len(report.may_run)} in the Store may be run."
    html = view.table(frame.dropna(axis=1, how="all"), caption)["text/html"]
    above = page(f'<p class="note e"><b>✕ {isolated(caption)}.</b> {markup(note)}</p>')
    return Picture({"text/html": above + html, "text/plain": str(report)})


def _chosen(runtime: Runtime, namespace: Namespace, name: str) -> list[TwistHandle]:
    return [find_twist(runtime, namespace, name)] if name else runtime.twists()


def _of(name: str) -> str:
    return f" of {name}" if name else ""


def _labelled(frame: pd.DataFrame, runtime: Runtime) -> pd.DataFrame:
    """With one column for the columns `twist` and `instance`."""
    known = {(twist.name, twist._instance.name): named(twist) for twist in runtime.twists()}
    pairs = zip(frame["twist"], frame["instance"], strict=True)
    return frame.assign(twist=[known.get(pair, label(*pair)) for pair in pairs]).drop(columns="instance")


def _named(frame: pd.DataFrame, twist: TwistHandle) -> pd.DataFrame:
    frame = frame.copy()
    frame.insert(0, "twist", named(twist))
    return frame


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def _shown(frame: pd.DataFrame, caption: str, nothing: str) -> Picture:
    from plot_nb import view

    if not len(frame):
        return _said(nothing)
    if frame["twist"].nunique() == 1:
        frame = frame.drop(columns="twist")
    return Picture(view.table(frame.dropna(axis=1, how="all"), caption))


def _with(picture: Picture, note: str) -> Picture:
    from plot_nb.view.hostile import line, markup
    from plot_nb.view.style import page

    note = line(note, 500)
    html = picture.bundle["text/html"] + page(f'<p class="m">{markup(note)}</p>')
    return Picture({"text/html": html, "text/plain": f"{picture.bundle['text/plain']}\n{note}"})


def _said(text: str) -> Picture:
    from plot_nb.view.hostile import line, markup
    from plot_nb.view.style import page

    text = line(text, 500)
    return Picture({"text/html": page(f"<p>{markup(text)}</p>"), "text/plain": text})
