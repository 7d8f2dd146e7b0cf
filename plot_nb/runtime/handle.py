"""A deployed twist, as the notebook holds it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from plot_nb.engine.masking import Mask
from plot_nb.engine.model import Instance, Method
from plot_nb.errors import MethodNotFound, RuntimeClosed
from plot_nb.journal import frames
from plot_nb.journal.activities import activities
from plot_nb.journal.reader import rows
from plot_nb.tools.callbacks import is_hidden, listed, suggestion
from plot_nb.tools.store import LOCKS

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.runtime.run import Run
    from plot_nb.runtime.runtime import Runtime
    from plot_nb.runtime.upgrading import UpgradeReport


class _Default:
    """Stands for the value of a parameter that need not be given: only the sandbox has it."""

    def __repr__(self) -> str:
        return "..."


class TwistHandle:
    """One installed twist. Its attributes are those below; every other one is the twist's method of that name.

    `await handle.start_sync(1)` is `await handle.call("start_sync", 1)`.
    """

    def __init__(
        self, runtime: Runtime, instance: int, deployed: Run | None, report: UpgradeReport | None = None
    ) -> None:
        self._runtime = runtime
        self._instance_id = instance
        self._installed = runtime._instances  # another dict after a reset, where numbers begin anew
        self._deployed = deployed
        self._report = report

    @property
    def _instance(self) -> Instance:
        self._runtime._check_open()
        if self._installed is not self._runtime._instances:
            raise RuntimeClosed("the runtime was reset since this twist was deployed: deploy it again")
        return self._runtime._instance(self._instance_id)

    @property
    def name(self) -> str:
        """The name of the class."""
        return self._instance.twist

    @property
    def version(self) -> int:
        """The number of the version in force."""
        return self._instance.version.number

    async def call(self, method: str, /, *args: Any, **kwargs: Any) -> Run:
        """Run a method, and the chain of immediate tasks that it sets off, to the end.

        Args:
            method: Its name.
            args: What it is given; values that the Store could hold.
            kwargs: The same, by name.

        Raises:
            MethodNotFound: If the deployed version has no such method.
            TypeError: If an argument is no such value.
        """
        return await self._runtime._call(self._instance.id, method, args, kwargs)

    async def deactivate(self) -> Run:
        """Run `deactivate`, then drop the twist's callbacks, tasks and webhooks; its Store stays as that left it.

        Raises:
            TwistInactive: If it was deactivated before. Deploying it activates it again.
        """
        return await self._runtime._deactivate(self._instance_id)

    @property
    def store(self) -> pd.DataFrame:
        """One row per key: type, value, size, version, when and by which execution it was written."""
        return frames.store(self._runtime.path, self._instance.id)

    @property
    def store_history(self) -> pd.DataFrame:
        """One row per write or clear, in order."""
        return frames.store_history(self._runtime.path, self._instance.id)

    @property
    def callbacks(self) -> pd.DataFrame:
        """One row per callback."""
        return frames.callbacks(self._runtime.path, self._instance.id, Mask(self._instance.secrets))

    @property
    def tasks(self) -> pd.DataFrame:
        """One row per task, finished ones included."""
        return frames.tasks(self._runtime.path, instance=self._instance.id, mask=Mask(self._instance.secrets))

    @property
    def activities(self) -> pd.DataFrame:
        """One row per activity that it created, with its notes as dicts and all that it holds as `document`."""
        return activities(self._runtime.path, self._instance.id, Mask(self._instance.secrets))

    @property
    def executions(self) -> pd.DataFrame:
        """One row per attempt, since the instance was installed."""
        return frames.executions(self._runtime.path, instance=self._instance.id)

    def dump(self) -> dict[str, str]:
        """The whole Store, locks aside, as superjson text by key: what `load` takes, and superjson 2 in TypeScript."""
        found = rows(
            self._runtime.path,
            "SELECT s.key, v.value FROM store s JOIN store_versions v ON v.id = s.head"
            " WHERE s.instance = ? ORDER BY s.key",
            self._instance.id,
        )
        return {key: text for key, text in found if not key.startswith(LOCKS)}

    def load(self, values: Mapping[str, str]) -> None:
        """Write values into the Store, all or none; keys that are not named keep what they have.

        Args:
            values: superjson text by key.

        Raises:
            ValueError: If a text is not superjson, or a key or value is too large; nothing is written then.
        """
        if any(text is None for text in values.values()):
            raise TypeError("load takes superjson texts by key, as dump gives them")
        self._runtime._write_by_hand(self._instance.id, values)

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Run]]:
        if name.startswith("_"):
            raise AttributeError(name)
        instance = self._instance
        if name not in instance.version.methods:
            raise MethodNotFound(
                f"{instance.twist} (version {instance.version.number}) has no async method {name!r}: "
                f"{suggestion(name, instance.version.methods)}"
            )

        async def method(*args: Any, **kwargs: Any) -> Run:
            return await self._runtime._call(self._instance.id, name, args, kwargs)

        method.__name__ = name
        method.__qualname__ = f"{instance.twist}.{name}"
        described = instance.version.methods[name]
        method.__doc__ = described.doc
        signature = signature_of(described)
        if signature is not None:
            method.__signature__ = signature  # type: ignore[attr-defined]
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self._methods() if name.isidentifier())})

    def _methods(self) -> list[str]:
        """What can be called; those of tools as `tool.method`."""
        return [name for name in self._instance.version.methods if not is_hidden(name)]

    def __repr__(self) -> str:
        try:
            instance = self._instance
        except RuntimeClosed as error:
            return f"<TwistHandle: {error}>"
        where = "" if instance.name == "default" else f", instance {instance.name!r}"
        if instance.suspended is not None:
            where += f", suspended {'by the user' if instance.suspended == 'user' else 'for its rate'}"
        methods = listed(self._methods()) or "no methods that an event can run"
        shown = f"<{instance.twist} version {instance.version.number}{where}: {methods}>"
        return "\n".join([shown, *(self._report.lines() if self._report is not None else [])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/plain": repr(self)}
        try:
            self._runtime._check_open()
        except RuntimeClosed:
            return plain
        if self._deployed is None:
            return plain
        bundle = self._deployed._repr_mimebundle_()
        bundle["text/plain"] = f"{self!r}\n{bundle['text/plain']}"
        return bundle


def instance_of(runtime: Runtime, twist: object, what: str) -> Instance:
    """The instance that a handle stands for.

    Raises:
        TypeError: If it is no handle.
        ValueError: If it is of another runtime.
    """
    if not isinstance(twist, TwistHandle):
        raise TypeError(f"{what} takes a deployed twist, such as `await rt.deploy(...)` gives, not {twist!r}")
    if twist._runtime is not runtime:
        raise ValueError(f"{what}: this twist is deployed in another runtime, {twist._runtime.path}")
    return twist._instance


def signature_of(method: Method) -> Signature | None:
    """What a method can be given by place, for `?` and Tab; None where the sandbox's words on it make no sense."""
    parameters: list[tuple[str, Any, Any]] = [
        (name, Parameter.POSITIONAL_OR_KEYWORD, Parameter.empty if place < method.required else _Default())
        for place, name in enumerate(method.names)
    ]
    if method.maximum is None:
        parameters.append(("args", Parameter.VAR_POSITIONAL, Parameter.empty))
    elif method.maximum != len(parameters):
        return None
    try:
        return Signature([Parameter(name, kind, default=default) for name, kind, default in parameters])
    except ValueError:  # a name that is none, or twice the same
        return None
