"""From a cell's source to a version that is in force (SPEC 10)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, cast

import msgspec

from plot_nb.backend.records import InstanceRow
from plot_nb.engine.attempt import GuestError
from plot_nb.engine.engine import Engine
from plot_nb.engine.masking import Mask
from plot_nb.engine.model import Instance, Method, Suspension, Version
from plot_nb.engine.outcomes import TEXT_LIMIT
from plot_nb.errors import DeployError
from plot_nb.sandbox.pool import Program, Result
from plot_nb.tools.network import Patterns

NAME_LIMIT = 200
"""Characters of the name of a class or method."""


class _ManifestMethod(msgspec.Struct, frozen=True):
    line: int
    required: int
    maximum: int | None
    names: list[str] = []
    doc: str = ""
    keywords: list[str] = []


class Manifest(msgspec.Struct, frozen=True):
    """What a source says of itself, as a sandbox found it."""

    name: str
    methods: dict[str, _ManifestMethod]
    urls: list[str] = []
    lifecycle: list[str] = []
    tools: list[str] = []
    doc: str = ""
    line: int = 0


class _Described(msgspec.Struct, frozen=True):
    ok: bool
    manifest: Manifest | None = None
    error: GuestError | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be deployed."""

    text: str
    modules: dict[str, str]
    filename: str

    @property
    def digest(self) -> str:
        """The same for the same source and modules, wherever the cell stands."""
        return hashlib.blake2b(json.dumps([self.text, self.modules]).encode(), digest_size=16).hexdigest()

    def program(self, name: str | None) -> Program:
        """What a sandbox loads; without a name it looks for the one twist class."""
        text = json.dumps(
            {"name": name, "filename": self.filename, "source": self.text, "modules": self.modules}
        )
        return Program(hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), text)


def check_source(source: object, modules: object, filename: object) -> Source:
    """Check the types of what a user gave.

    Raises:
        TypeError: Saying what to give instead.
    """
    if not isinstance(source, str):
        raise TypeError(
            f"deploy takes source text, not {type(source).__name__}: a twist runs in a sandbox of its own, "
            "which cannot see this process (`inspect.getsource(cls)` gives the text of a class)"
        )
    if not isinstance(filename, str):
        raise TypeError(f"filename={filename!r}: give what tracebacks shall call the source")
    modules = {} if modules is None else modules
    if not isinstance(modules, Mapping) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in modules.items()
    ):
        raise TypeError(
            'modules takes a dict of source texts by module name: {"parsing": "def parse(): ..."}'
        )
    bad = next(
        (
            name
            for name in modules
            if not all(part.isidentifier() and not iskeyword(part) for part in name.split("."))
        ),
        None,
    )
    if bad is not None:
        raise ValueError(f"modules: {bad!r} cannot be imported: give a name such as 'parsing'")
    return Source(source, dict(modules), filename)


async def inspect(
    engine: Engine, source: Source, options: str, mounted: Mapping[str, Sequence[str]]
) -> Manifest:
    """Have a sandbox look at a source.

    Args:
        engine: On whose thread this is.
        source: What is to be deployed.
        options: JSON.
        mounted: Methods of the tools that the user mounted, by the tools' names.

    Raises:
        DeployError: If it cannot be deployed; options masked.
    """
    looked: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    given = msgspec.json.decode(options)
    invocation = msgspec.json.encode(
        {
            "kind": "describe",
            "options": given,
            "seed": engine.seed & (2**53 - 1),
            "now": engine.now / 1000,
            **({"mounted": mounted} if mounted else {}),
        }
    )

    def done(result: Result) -> None:
        if not looked.done():
            looked.set_result(result)

    engine.inspect(source.program(None), invocation, done)
    mask = Mask(given)
    try:
        return read_manifest(await looked)
    except DeployError as error:
        raise DeployError(str(mask(str(error))), line=error.line, detail=str(mask(error.detail))) from None


def read_manifest(result: Result) -> Manifest:
    """What a sandbox found in a source.

    Raises:
        DeployError: If it cannot be deployed; with the line at fault where there is one.
    """
    if result.ending != "returned":
        reasons = {
            "cpu": "its module level never comes to an end",
            "memory": "its module level needs too much memory",
        }
        if result.ending == "stopped":
            reason = "it makes requests before a method runs: module level and `build` cannot"
        else:
            reason = reasons.get(result.reason, result.detail or result.reason)
        raise DeployError(f"not deployed: {reason}")
    try:
        described = msgspec.json.decode(result.payload, type=_Described)
    except (ValueError, RecursionError) as error:
        raise DeployError(f"not deployed: the sandbox's description cannot be read ({error})") from None
    if described.manifest is None:
        fault = described.error or GuestError("Error", "the sandbox named no error")
        where = f" (line {fault.line})" if fault.line else ""
        raise DeployError(
            f"not deployed{where}: {fault.type[:NAME_LIMIT]}: {fault.message[:TEXT_LIMIT]}",
            line=fault.line,
            detail=fault.traceback[-TEXT_LIMIT:],
        )
    _check_names(described.manifest)
    try:
        Patterns(described.manifest.urls)
    except ValueError as error:
        raise DeployError(f"not deployed: {error}") from None
    return described.manifest


def _check_names(manifest: Manifest) -> None:
    """Refuse names that no source can spell: they are shown, and become attributes of the handle."""
    named = (("method", name) for name in manifest.methods)
    scopes = {"", *manifest.tools}
    for what, name in (("class", manifest.name), *named, *(("tool", name) for name in manifest.tools)):
        parts = [name] if what == "class" else name.split(".")
        if not all(part.isidentifier() for part in parts) or len(name) > NAME_LIMIT:
            raise DeployError(f"not deployed: {name[:80]!a} is no name for a {what}")
        if name.rpartition(".")[0] not in scopes:
            raise DeployError(f"not deployed: {name[:80]!a} is no name for a {what}: no tool is before it")


def make_version(number: int, source_digest: str, program: Program, manifest: Manifest) -> Version:
    """The version that the engine runs."""
    methods = {
        name: Method(
            each.line, each.required, each.maximum, tuple(each.names), each.doc, tuple(each.keywords)
        )
        for name, each in manifest.methods.items()
    }
    source = json.loads(program.text)["source"]
    return Version(
        number,
        source_digest,
        source,
        program,
        methods,
        Patterns(manifest.urls),
        frozenset(manifest.lifecycle),
        frozenset(manifest.tools),
    )


def restore_instance(row: InstanceRow) -> Instance:
    """An instance from a row of `SqliteBackend.instances`."""
    program = Program(hashlib.blake2b(row.program.encode(), digest_size=16).hexdigest(), row.program)
    manifest = msgspec.json.decode(row.manifest.encode(), type=Manifest)
    return Instance(
        row.id,
        row.twist,
        row.name,
        make_version(row.version, row.digest, program, manifest),
        json.loads(row.options),
        bool(row.active),
        json.loads(row.former),
        cast("Suspension | None", row.suspended),
        row.counted_from,
    )


def check_instance(name: object) -> str:
    """Check the name of an installation.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"instance={name!r}: give a name, such as instance='staging'")
    if not name.strip() or len(name) > 200:
        raise ValueError(f"instance={name[:200]!r}: give a name of 1 to 200 characters")
    return name


def check_options(options: Mapping[str, Any] | None) -> str:
    """Options as JSON.

    Raises:
        TypeError: If they cannot be.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options takes a dict, not {type(options).__name__}")
    given = dict(options or {})
    if not all(isinstance(name, str) for name in given):
        raise TypeError("options takes a dict with str keys")
    try:
        return json.dumps(given, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"options must be values that JSON has: {error}") from None
