"""What a picture is of, and all that the kernel can say of it while it lives."""

from __future__ import annotations

import json
import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from plot_nb.engine.masking import MASK, Mask
from plot_nb.errors import RuntimeClosed
from plot_nb.journal import details
from plot_nb.journal.changes import changes, origin_of
from plot_nb.journal.instances import label
from plot_nb.journal.progress import Tracker, progress
from plot_nb.journal.reader import reading
from plot_nb.journal.reader import rows as query
from plot_nb.journal.scope import Scope
from plot_nb.journal.state import state
from plot_nb.journal.synced import Search
from plot_nb.journal.wire import Cursor, Panel, Picture, Rows, StateTable
from plot_nb.runtime import Run, Runtime, TwistHandle

if TYPE_CHECKING:
    import pandas as pd

Subject = Run | TwistHandle | Runtime

_KEPT = 200
"""So many pictures of earlier cells can be asked."""

_VALUES_LIMIT = 1_500_000
"""Characters of one answer: Jupyter's server drops what comes faster than about 1 MB a second."""


class Source:
    """Answers for one picture: of a run, also one that is still going on, of a twist, or of a whole runtime.

    Args:
        subject: Which of them. It is not kept alive: a runtime that nobody uses any more ends.
        panel: Which picture of it.
        progress: The Store key whose writes are the progress of a sync.
        items: The entry of its value that counts items.
        expected: How many items there will be, or the entry that says so.

    Attributes:
        key: Under which it is asked; nobody can guess it.
        selected: The id of the attempt that is selected.
        live: Whether there is more to say of it when nothing runs: later runs belong to it, or Python selects in it.

    Raises:
        RuntimeClosed: If the runtime was closed.
    """

    def __init__(
        self,
        subject: Subject,
        panel: Panel = "inspector",
        *,
        progress: str | None = None,
        items: str | None = None,
        expected: float | str | None = None,
    ) -> None:
        self.key = secrets.token_urlsafe(18)
        self.panel: Panel = panel
        self.progress, self._items, self._expected = progress, items, expected
        self.selected: int | None = None
        self._search: Search | None = None
        self._observers: list[Callable[[int | None, object], None]] = []
        self._origin: int | None = None
        self.run: Run | None = None
        self.instance: int | None = None
        if isinstance(subject, Run):
            runtime = subject._runtime
            self.run, self._installed = subject, subject._installed
            self.scope, self.title = Scope(attempts=subject._attempts), subject.title
        elif isinstance(subject, TwistHandle):
            runtime = weakref.ref(subject._runtime)
            self.instance, self._installed = subject._instance.id, subject._installed
            self.scope, self.title = Scope(instance=self.instance), subject.name
        else:
            runtime = weakref.ref(subject)
            self._installed = subject._instances
            self.scope, self.title = Scope(), "everything that ran"
        self._runtime = runtime
        self.live = self.run is None
        _ = self.runtime  # raises where it is gone

    @property
    def runtime(self) -> Runtime:
        """Whose state it shows.

        Raises:
            RuntimeClosed: If that was closed or reset, or is no more.
        """
        runtime = self._runtime()
        if runtime is None:
            raise RuntimeClosed("the runtime is no more")
        runtime._check_open()
        if runtime._instances is not self._installed:
            raise RuntimeClosed("the runtime was reset since")
        return runtime

    @property
    def running(self) -> bool:
        """Whether more may come."""
        if self.run is not None:
            return self.run.running
        return any(
            self.instance in {None, run._instance} or run._instance is None for run in self.runtime.running
        )

    @property
    def over(self) -> bool:
        """Whether it can change only by hand any more; who writes asks again for what came of it."""
        return self.run is not None and not self.run.running

    def belongs_to(self, runtime: Runtime | None) -> bool:
        """Whether it shows something of that runtime."""
        return self._runtime() is runtime

    def tracker(self) -> Tracker | None:
        """What follows the progress of a sync for one picture; None as long as nothing tells of one."""
        if self.progress is not None:
            instance, key = self.progress_instance(), self.progress
        elif (found := self._synced()) is not None:
            instance, key = found
        else:
            return None
        return Tracker(
            key,
            instance,
            attempts=self.scope.attempts,
            items=self._items,
            expected=self._expected,
        )

    def _synced(self) -> tuple[int, str] | None:
        if self.panel != "inspector":
            return None
        if self._search is None:
            self._search = Search(self.scope)
        with reading(self.runtime.path) as connection:
            return self._search.look(connection)

    def progress_instance(self) -> int:
        """Whose key that is."""
        if self.run is not None:
            return self.run._instance or -1
        if self.instance is not None:
            return self.instance
        found = query(
            self.runtime.path,
            "SELECT instance FROM store_versions WHERE key = ? ORDER BY id DESC LIMIT 1",
            self.progress,
        )
        return int(found[0][0]) if found else -1

    def progress_frame(self) -> pd.DataFrame:
        """The writes of the key as a table."""
        assert self.progress is not None
        instance, attempts = self.progress_instance(), self.scope.attempts
        return progress(
            self.runtime.path,
            self.progress,
            instance=instance,
            attempts=attempts,
            items=self._items,
            expected=self._expected,
        )

    def rows(
        self,
        *,
        after: Cursor,
        running: Collection[int],
        active: bool,
        tracker: Tracker | None,
        size: int,
    ) -> Rows:
        """What is new; see `changes`."""
        runtime = self.runtime
        if self._origin is None:
            self._origin = origin_of(runtime.path, self.scope)
        return changes(
            runtime.path,
            self.scope,
            limits=runtime.limits,
            after=after,
            running=running,
            origin=self._origin,
            now=runtime._engine.now if active else None,
            active=active,
            paused=self.paused,
            value=self.run._shown_value() if self.run is not None else None,
            progress=tracker,
            size=size,
        )

    @property
    def paused(self) -> str | None:
        """Why a chain waits to be resumed."""
        run = self.run or self.runtime.last_run
        if run is None or (self.instance is not None and run._instance not in {None, self.instance}):
            return None
        return run._why_held()

    def picture(self) -> Picture:
        """What a notebook keeps of it."""
        from plot_nb.view.picture import picture

        runtime = self.runtime
        return picture(
            runtime.path,
            self.scope,
            title=self.title,
            limits=runtime.limits,
            panel=self.panel,
            source=self.key,
            selected=self.selected,
            live=self.live,
            active=self.running,
            paused=self.paused,
            value=self.run._shown_value() if self.run is not None else None,
            progress=self.progress,
            instance=self.progress_instance() if self.progress is not None else None,
            items=self._items,
            expected=self._expected,
        )

    def detail(self, attempt: int) -> dict[str, Any]:
        """One attempt in full, and the source that it ran.

        Raises:
            LookupError: If there is no such attempt.
        """
        path, limit = self.runtime.path, self.runtime.limits.requests
        origin = self._origin if self._origin is not None else origin_of(path, self.scope)
        found = details.details(path, attempt, limit=limit, origin=origin or 0)
        if found is None:
            raise LookupError(f"the journal has no attempt {attempt}")
        return {"detail": found, "source": details.source_for(path, attempt)}

    def values(self, ids: Collection[int]) -> list[dict[str, Any]]:
        """The texts of writes; of what would be too much for one message, the first that fit."""
        answer: list[dict[str, Any]] = []
        size = 0
        for number, text in details.values(self.runtime.path, ids):
            size += len(text)
            if answer and size > _VALUES_LIMIT:
                break
            answer.append({"id": number, "text": text})
        return answer

    def state(self) -> list[StateTable]:
        """What its twist holds, or all of them, and where they stand in the rate limits."""
        from plot_nb.view.rates import limits

        runtime = self.runtime
        instance = self.run._instance if self.run is not None else self.instance
        shown = {instance} if instance is not None else set(runtime._instances)
        twists = [twist for twist in runtime.twists() if twist._instance.id in shown]
        return [
            *state(runtime.path, instance),
            limits([(_label(each), runtime.rates(each)) for each in twists]),
        ]

    def write(self, twist: str, key: str, text: str | None) -> None:
        """Write or clear a key by hand, also while something runs.

        Raises:
            LookupError: If there is no such twist.
            ValueError: If the Store cannot hold that, or it is what is shown in place of an option.
        """
        runtime = self.runtime
        instance = details.instance_of(runtime.path, twist)
        if instance is None:
            raise LookupError(f"no twist {twist[:80]!a} is installed: run its cell again")
        _refuse_mask(twist, key, text, runtime._instances[instance].secrets)
        runtime._write_by_hand(instance, {key: text})

    # the selection

    def select(self, attempt: int | None, by: object = None) -> None:
        """Select an attempt in all pictures of it but the one that did, which knows."""
        if attempt != self.selected:
            self.selected = attempt
            for observer in self._observers.copy():
                observer(attempt, by)

    def observe(self, selected: Callable[[int | None, object], None]) -> None:
        """Call `selected` with the attempt, and with who selected it."""
        self._observers.append(selected)

    def unobserve(self, selected: Callable[[int | None, object], None]) -> None:
        """Call it no more."""
        if selected in self._observers:
            self._observers.remove(selected)

    def execution_of(self, attempt: int) -> str | None:
        """The execution that an attempt is of."""
        found = query(self.runtime.path, "SELECT execution FROM attempts WHERE id = ?", attempt)
        return str(found[0][0]) if found else None

    def attempt_of(self, execution: str) -> int | None:
        """The last attempt at an execution."""
        found = query(self.runtime.path, "SELECT max(id) FROM attempts WHERE execution = ?", execution)
        return found[0][0] if found else None


def _label(twist: TwistHandle) -> str:
    return label(twist.name, twist._instance.name)


def _refuse_mask(twist: str, key: str, text: str | None, options: dict[str, Any]) -> None:
    """Refuse to write what was shown masked: the secret would be gone, and the mask in its place."""
    # JSON may spell the mask in more than one way.
    shown = next((each for each in (key, text, _unescaped(text)) if each is not None and MASK in each), None)
    if shown is None or not Mask(options).hides:
        return
    what = "this key" if shown is key else f"the value of {key[:80]!a}"
    raise ValueError(
        f"{what} contains {MASK}, which stands for an option of {twist}: options are never shown, and what is shown in "
        f"their place cannot be written back; `{twist.partition('/')[0]}.load({{key: text}})` writes it from Python"
    )


def _unescaped(text: str | None) -> str | None:
    try:
        return None if text is None else json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return None  # which is refused for what it is


class Sources:
    """The sources of this process's pictures, the latest ones; callable from any thread."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._by_key: OrderedDict[str, Source] = OrderedDict()

    def add(self, source: Source) -> Source:
        """Have it answer from now on, until so many others came after it."""
        with self._lock:
            self._by_key[source.key] = source
            while len(self._by_key) > self._kept:
                self._by_key.popitem(last=False)
        return source

    def of(self, run: Run) -> Source:
        """The source of a run's pictures; the same for all of them.

        Raises:
            RuntimeClosed: If its runtime was closed or reset: a picture of it has no source any more.
        """
        with self._lock:
            for source in reversed(self._by_key.values()):
                if source.run is run and source.panel == "inspector":
                    self._by_key.move_to_end(source.key)
                    return source
        return self.add(Source(run))

    def get(self, key: object) -> Source | None:
        """The source of a key; None where there is none (any more)."""
        with self._lock:
            return self._by_key.get(key) if isinstance(key, str) else None


SOURCES = Sources()
"""Of this process."""
