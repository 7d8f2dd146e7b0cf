"""How a version comes into force, and how a twist leaves it (SPEC 10)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from plot_nb.engine.model import Execution, Instance, Version
from plot_nb.runtime.deploying import Manifest, Source, inspect, make_version
from plot_nb.runtime.run import Run, nothing_ran
from plot_nb.runtime.upgrading import UpgradeReport, report_upgrade
from plot_nb.twist import superjson

if TYPE_CHECKING:
    from plot_nb.runtime.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that can be deployed, and what that would break.

    Attributes:
        options: JSON.
        report: None where nothing that the host holds a version to is replaced.
    """

    source: Source
    name: str
    options: str
    manifest: Manifest
    report: UpgradeReport | None

    def version(self, number: int) -> Version:
        """As the engine runs it."""
        return make_version(
            number, self.source.digest, self.source.program(self.manifest.name), self.manifest
        )

    def following(self, before: Version) -> Version:
        """What follows a version: the next one, or of unchanged source the same, with what `build` makes now."""
        if before.digest != self.source.digest:
            return self.version(before.number + 1)
        now = self.version(before.number)
        return replace(before, methods=now.methods, urls=now.urls, lifecycle=now.lifecycle, scopes=now.scopes)


@dataclass(frozen=True, slots=True)
class Installer:
    """Puts versions of twists into force; on the engine's thread."""

    runtime: Runtime

    async def look(self, source: Source, name: str, options: str) -> Candidate:
        """Have a sandbox look at a source, and see what would break if it were deployed.

        Raises:
            DeployError: If it cannot be deployed.
        """
        await self.runtime._thread.ready()
        manifest = await inspect(self.runtime._engine, source, options, self.runtime._thread.tools.methods())
        found = self._found(manifest.name, name)
        candidate = Candidate(source, name, options, manifest, None)
        if found is None:
            return candidate
        after = candidate.following(found.version)
        if after == found.version:
            return candidate
        return replace(candidate, report=report_upgrade(self.runtime._backend, found, after))

    async def install(self, candidate: Candidate) -> tuple[int, Run | None]:
        """Put a version into force and run its lifecycle methods.

        Returns:
            The instance's id, and what ran.
        """
        runtime, manifest = self.runtime, candidate.manifest
        found = self._found(manifest.name, candidate.name)
        if found is not None and found.version.digest == candidate.source.digest:
            return found.id, await self._install_again(found, candidate)
        if found is not None:
            runtime._thread.forget(found.version.program.id)
        options = msgspec.json.decode(candidate.options)
        before = found.options if found is not None and found.active else None
        former = _former(found, options)

        def lifecycle(identity: int, number: int) -> list[Execution]:
            return self._lifecycle(identity, candidate.version(number), before, options)

        identity, number, executions = runtime._backend.add_version(
            manifest.name,
            candidate.name,
            candidate.options,
            json.dumps(former),
            candidate.source.digest,
            candidate.source.program(manifest.name).text,
            _encoded(manifest),
            runtime._engine.now,
            lifecycle,
            runtime._engine.last_attempt,
        )
        version = candidate.version(number)
        deployed = Instance(
            identity,
            manifest.name,
            candidate.name,
            version,
            options,
            former=former,
            suspended="user" if found is not None and found.suspended == "user" else None,
            counted_from=runtime._engine.last_attempt,
        )
        runtime._instances[identity] = deployed
        runtime._engine.install(deployed)
        return identity, await self._run(deployed, executions)

    def _found(self, twist: str, name: str) -> Instance | None:
        installed = self.runtime._instances.values()
        return next((each for each in installed if (each.twist, each.name) == (twist, name)), None)

    async def _install_again(self, found: Instance, candidate: Candidate) -> Run | None:
        """Unchanged source: a deactivated twist is activated, changed options are told of.

        What `build` makes of the options is in force from now on. What an earlier process did not end goes on.
        """
        given = msgspec.json.decode(candidate.options)
        before = found.options if found.active else None
        found.former = _former(found, given)
        found.options = given
        found.version = candidate.following(found.version)
        executions = self._lifecycle(found.id, found.version, before, given, is_new=False)
        found.active = True
        self.runtime._backend.save_instance(found, executions, _encoded(candidate.manifest))
        if executions:
            return await self._run(found, executions)
        return await self.runtime._drive(
            f"{found.twist} continued",
            lambda ended: self.runtime._engine.continue_lifecycle(found, ended),
        )

    def _lifecycle(
        self,
        instance: int,
        version: Version,
        before: dict[str, Any] | None,
        options: dict[str, Any],
        *,
        is_new: bool = True,
    ) -> list[Execution]:
        """The lifecycle executions of a deploy, as one chain.

        Args:
            instance: Whose.
            version: What is deployed.
            before: The options in force until now; None for an instance that is not active.
            options: The options from now on.
            is_new: Whether the version is another than before.
        """
        made: list[Execution] = []
        if before is None:
            made += self._make(
                instance, version, "activate", [{"instance": instance, "version": version.number}]
            )
        elif is_new:
            made += self._make(instance, version, "upgrade", [])
        if before is not None and before != options:
            made += self._make(instance, version, "on_options_changed", [before, options])
        for execution in made[1:]:
            execution.chain = made[0].id
        return made

    def _make(self, instance: int, version: Version, method: str, args: list[Any]) -> list[Execution]:
        if method not in version.lifecycle:
            return []
        return [self.runtime._engine.make_execution(instance, "lifecycle", method, superjson.dumps(args))]

    async def _run(self, instance: Instance, executions: Sequence[Execution]) -> Run | None:
        if not executions:
            return None
        return await self.runtime._drive(
            f"{instance.twist}.{executions[0].method}",
            lambda ended: self.runtime._engine.begin(executions, ended),
        )

    async def deactivate(self, instance: Instance) -> Run:
        """Run `deactivate`, then make the instance inactive and drop what waits in it, all at once.

        A `deactivate` that a crash cuts off is not run again by itself: its twist is active still.
        """
        runtime = self.runtime
        await runtime._thread.ready()
        executions = self._make(instance.id, instance.version, "deactivate", [])
        for execution in executions:
            execution.awaited = True
        run = await self._run(instance, executions)
        runtime._engine.retire_all(instance)
        return run or nothing_ran(runtime, f"{instance.twist} deactivated")


def _encoded(manifest: Manifest) -> str:
    return msgspec.json.encode(manifest).decode()


def _former(found: Instance | None, options: dict[str, Any]) -> list[dict[str, Any]]:
    """All options that an instance had before those, without repetition."""
    if found is None:
        return []
    known: list[dict[str, Any]] = []
    for each in (*found.former, found.options):
        if each and each != options and each not in known:
            known.append(each)
    return known
