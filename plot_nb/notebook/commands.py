"""What `%twist` can do, as plain functions."""

from __future__ import annotations

import builtins
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from IPython import get_ipython

from plot_nb.journal.wire import Panel
from plot_nb.notebook.arguments import parse_call
from plot_nb.notebook.compiling import sandbox_compiled
from plot_nb.notebook.durations import parse_duration
from plot_nb.notebook.editing import whose
from plot_nb.notebook.naming import Namespace, find_twist, named, names
from plot_nb.notebook.problems import MagicError, nearest
from plot_nb.notebook.showing import draws_widgets_only
from plot_nb.runtime import Run, Runtime, TwistHandle, opened, use
from plot_nb.runtime.emitting import Event


@dataclass(frozen=True, slots=True)
class Picture:
    """Something to show, as one MIME bundle."""

    bundle: dict[str, Any]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.bundle

    def __repr__(self) -> str:
        return str(self.bundle["text/plain"])


async def call(runtime: Runtime, namespace: Namespace, text: str) -> Run:
    """Call `Name.method arguments`; arguments are Python, evaluated in `namespace`.

    Raises:
        MagicError: If there is no such twist, or an argument cannot be had or given.
        MethodNotFound: If it has no such method.
    """
    asked = parse_call(text, namespace, names(runtime, namespace))
    twist = find_twist(runtime, namespace, asked.twist)
    await sandbox_compiled()
    try:
        return await twist.call(asked.method, *asked.args, **asked.kwargs)
    except (TypeError, ValueError) as error:
        raise MagicError(str(error)) from None


async def run(runtime: Runtime) -> Run:
    """Go on with paused chains, and with what a killed process left unfinished."""
    await sandbox_compiled()
    return await runtime.run_until_idle()


async def advance(runtime: Runtime, text: str) -> Run:
    """Let time pass; what falls due meanwhile runs.

    Raises:
        MagicError: If that is no span of time.
    """
    span = parse_duration(text)
    await sandbox_compiled()
    try:
        return await runtime.advance(span)
    except ValueError as error:
        raise MagicError(str(error)) from None


async def deactivate(runtime: Runtime, namespace: Namespace, name: str) -> Run:
    """Run a twist's `deactivate`, and drop what waits in it.

    Raises:
        MagicError: If there is no such twist.
    """
    twist = find_twist(runtime, namespace, name)
    await sandbox_compiled()
    return await twist.deactivate()


async def webhook(runtime: Runtime, namespace: Namespace, text: str) -> Picture:
    """Post to a webhook: `URL`, or `URL` and a Python value that is sent as JSON.

    Raises:
        MagicError: If it is not said where to, or the value cannot be had or sent.
    """
    url, _, rest = text.strip().partition(" ")
    if not url:
        raise MagicError("post where? `%twist webhook URL {'id': 1}`; `%twist webhooks` lists the URLs")
    try:
        value = eval(rest, namespace) if rest.strip() else None
        body = None if value is None else json.dumps(value, allow_nan=False)
    except Exception as error:
        raise MagicError(f"the body {rest.strip()!r}: {type(error).__name__}: {error}") from None
    await sandbox_compiled()
    headers = None if body is None else {"content-type": "application/json"}
    try:
        response = await runtime.post_webhook(url, content=body, headers=headers)
    except ValueError as error:
        raise MagicError(str(error)) from None
    lines = [f"{response.status_code} {response.reason_phrase}", response.text]
    if response.status_code == 404:
        lines.append("There is no such webhook (any more): `%twist webhooks` lists them.")
    elif "queued" in response.text and response.is_success:
        lines.append("It runs with what runs next: `%twist run`.")
    return Picture(_text([line for line in lines if line]))


async def emit(runtime: Runtime, namespace: Namespace, text: str) -> Run:
    """Play a user's edit back: `EVENT ACTIVITY VALUE`, where the value is Python.

    The activity is an id, a key that one twist has, or `Name:KEY`.

    Raises:
        MagicError: If there is no such event, the value cannot be had, or it is not said whose activity is meant.
        ActivityNotFound: If there is no such activity.
    """
    words = text.split(None, 2)
    if len(words) < 3:
        raise MagicError(
            "what did the user do? `%twist emit activity_updated ID {'title': 'Done'}` or "
            "`%twist emit note_created KEY {'content': 'Thanks'}`; `%twist activities` lists ids and keys"
        )
    try:
        value = eval(words[2], namespace)
    except Exception as error:
        raise MagicError(f"{words[2]!r}: {type(error).__name__}: {error}") from None
    activity, twist = whose(runtime, namespace, words[1])
    await sandbox_compiled()
    try:
        return await runtime.emit(cast("Event", words[0]), activity, value, twist=twist)
    except (TypeError, ValueError) as error:
        raise MagicError(str(error)) from None


async def suspend(runtime: Runtime, namespace: Namespace, name: str) -> None:
    """Let nothing of a twist run until it is resumed.

    Raises:
        MagicError: If there is no such twist.
    """
    await runtime.suspend(find_twist(runtime, namespace, name))


async def resume(runtime: Runtime, namespace: Namespace, name: str) -> Run:
    """End a twist's suspension, and run what has fallen due meanwhile.

    Raises:
        MagicError: If there is no such twist.
    """
    twist = find_twist(runtime, namespace, name)
    await sandbox_compiled()
    return await runtime.resume(twist)


async def retry(runtime: Runtime, execution: str) -> Run:
    """Try a dead letter again.

    Raises:
        MagicError: If it is not said which.
        RetryRefused: If there is none of that id.
    """
    if not execution:
        raise MagicError("which one? `%twist retry EXECUTION`; `%twist dead` lists them")
    await sandbox_compiled()
    return await runtime.retry(execution)


def store(runtime: Runtime, namespace: Namespace, name: str = "") -> Picture:
    """A twist's Store, a row for each key."""
    return _drawn(find_twist(runtime, namespace, name), "store")


def inspect(runtime: Runtime, namespace: Namespace, name: str = "") -> Any:
    """All that happened in a twist, or without a name in the whole runtime; a widget where only those are drawn."""
    subject = find_twist(runtime, namespace, name) if name else runtime
    shell = get_ipython()
    # Elsewhere it would be drawn by nobody, and saved with the notebook: it holds all that draws it.
    if shell is not None and getattr(shell, "kernel", None) is not None and draws_widgets_only(shell):
        with contextlib.suppress(ImportError, FileNotFoundError):
            from plot_nb.widgets.inspectors import Inspector

            return Inspector(subject)
    return _drawn(subject, "inspector")


def _drawn(subject: Run | TwistHandle | Runtime, panel: Panel, progress: str | None = None) -> Picture:
    from plot_nb.widgets.bundle import bundle
    from plot_nb.widgets.source import SOURCES, Source

    return Picture(bundle(SOURCES.add(Source(subject, panel, progress=progress))))


def budget(runtime: Runtime) -> Picture:
    """What each execution of the last run spent."""
    return _drawn(last_run(runtime), "budget")


def chain(runtime: Runtime) -> Picture:
    """What set off what in the last run."""
    return _drawn(last_run(runtime), "chain")


def logs(runtime: Runtime) -> Picture:
    """What was printed and logged in the last run."""
    from plot_nb import view

    return Picture(view.logs(last_run(runtime).tables()))


def progress(runtime: Runtime, namespace: Namespace, key: str, name: str = "") -> Picture:
    """A row for each write of a Store key: in the last run, or with a twist's name since that was installed.

    Raises:
        MagicError: If the key was not written.
    """
    from plot_nb.journal import frames

    subject: Run | TwistHandle
    if name:
        subject = find_twist(runtime, namespace, name)
        found = frames.progress(runtime.path, key, instance=subject._instance_id)
        where = named(subject)
    else:
        subject = last_run(runtime)
        found = subject.progress(key)
        where = subject.title
    if not len(found):
        raise MagicError(f"{where} did not write the key {key!r}{_other_keys(runtime, namespace, key, name)}")
    return _drawn(subject, "progress", key)


def _other_keys(runtime: Runtime, namespace: Namespace, key: str, name: str) -> str:
    if name:
        return nearest(key, find_twist(runtime, namespace, name).store_history["key"].unique())
    written = {named(twist): list(twist.store_history["key"].unique()) for twist in runtime.twists()}
    writer = next((twist for twist, keys in written.items() if key in keys), None)
    if writer is not None:
        return f": `%twist progress {key} {writer}` looks at all that {writer} ever ran"
    return nearest(key, (each for keys in written.values() for each in keys))


async def open_file(namespace: Namespace, path: str) -> Picture:
    """Make the runtime of a state file the current one, close the one before, and bind the twists that it holds.

    Raises:
        MagicError: If the file cannot be opened; the runtime before stays then.
        PlotError: If another runtime has it, or it is no state file.
    """
    if not path:
        raise MagicError("which file? `%twist open sync.db`; it is made if it is not there")
    file = Path(path).expanduser()  # noqa: ASYNC240  # as quick as the open that follows
    before = opened()
    if before is not None and before.path.resolve() == file.resolve():
        return _opened(before, namespace)
    runtime = Runtime(file)
    use(runtime)
    if before is not None:
        await before.aclose()
    return _opened(runtime, namespace)


def _opened(runtime: Runtime, namespace: Namespace) -> Picture:
    twists = runtime.twists()
    lines = [f"{runtime.path} is open, its clock stands at {runtime.now:%Y-%m-%d %H:%M:%S} UTC."]
    for twist in twists:
        bound = bind(namespace, twist)
        lines.append(f"  {twist!r}" + ("" if bound else ", not bound: that name means something else here"))
    waiting = sum(int((twist.tasks["state"] == "queued").sum()) for twist in twists)
    if waiting:
        lines.append(f"Unfinished: {waiting} task{'s' * (waiting != 1)}; `%twist run` goes on.")
    if not twists:
        lines.append("It holds no twist yet.")
    return Picture(_text(lines))


async def reset(runtime: Runtime) -> Picture:
    """Drop all twists, state and journal, and set the clock back."""
    await runtime.reset()
    return Picture(
        _text(["The runtime is as new: no twist, no state, no journal. Run the %%twist cells again."])
    )


def bind(namespace: Namespace, twist: TwistHandle) -> bool:
    """Bind a twist's name, unless that would hide something else; the name comes out of a file.

    Of several instances of one class the default one gets the name.
    """
    held = namespace.get(twist.name)
    if (held is not None and not isinstance(held, TwistHandle)) or hasattr(builtins, twist.name):
        return False
    if twist._instance.name != "default" and held is not None and held._runtime is twist._runtime:
        return False
    namespace[twist.name] = twist
    return True


def last_run(runtime: Runtime) -> Run:
    """The run that ended last.

    Raises:
        MagicError: If nothing ran yet.
    """
    if runtime.last_run is None:
        raise MagicError("nothing ran yet: await a method, such as `await CalendarSync.start_sync()`")
    return runtime.last_run


def _text(lines: list[str]) -> dict[str, str]:
    from plot_nb.view.hostile import block, markup
    from plot_nb.view.style import page

    text = block("\n".join(lines), 20_000)
    return {"text/html": page(f"<pre>{markup(text)}</pre>"), "text/plain": text}
