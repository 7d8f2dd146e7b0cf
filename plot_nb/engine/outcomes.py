"""What an attempt came to (SPEC 11), decided from what the host knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from plot_nb.engine.attempt import Attempt, GuestError, GuestResult, decode_result
from plot_nb.engine.limits import Limits
from plot_nb.engine.model import Callback
from plot_nb.sandbox.pool import Result
from plot_nb.tools.store import VALUE_LIMIT
from plot_nb.twist import superjson

TEXT_LIMIT = 20_000
"""Characters of an error message or traceback that the journal keeps."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended, for the journal and for who awaits it."""

    outcome: str
    error: str | None = None
    line: int | None = None
    traceback: str | None = None
    value: str | None = None
    unawaited: tuple[tuple[int, str, str], ...] = ()


def judge(attempt: Attempt, result: Result, limits: Limits) -> Verdict:
    """The outcome of an attempt whose sandbox has ended.

    The twist's own word counts only where the meter, the clock and the process say nothing else.
    """
    if attempt.why_stopped is not None:
        line = attempt.refused.line if attempt.refused and attempt.why_stopped == "over_requests" else None
        return Verdict(attempt.why_stopped, attempt.stop_message or None, line)
    if result.ending == "died":
        return Verdict("crashed", f"the sandbox died ({result.reason})")
    if result.ending != "returned":
        return _judge_trap(result, limits)
    return _judge_return(attempt, result, limits)


def _judge_trap(result: Result, limits: Limits) -> Verdict:
    if result.reason == "cpu":
        return Verdict("over_cpu", f"computed for more than {limits.cpu:g} s without coming to an end")
    if result.reason == "memory":
        return Verdict("over_memory", _memory_message(limits))
    return Verdict("crashed", f"the sandbox stopped: {result.detail or result.reason}"[:TEXT_LIMIT])


def _memory_message(limits: Limits) -> str:
    return f"needed more than the {limits.memory / 2**20:g} MiB of memory that an execution has"


def _judge_return(attempt: Attempt, result: Result, limits: Limits) -> Verdict:
    try:
        returned = decode_result(result.payload)
    except ValueError:
        return Verdict("error", "the sandbox returned something that is no result")
    unawaited = tuple(
        (line, operation[:100], detail[:200]) for line, operation, detail in returned.unawaited[:100]
    )
    error = returned.error or GuestError("RuntimeError", "the sandbox named no error")
    if attempt.refused is not None:
        return _over_requests(attempt, returned, limits, unawaited)
    if result.cpu_ms > limits.cpu * 1000:
        return Verdict(
            "over_cpu", f"computed for {result.cpu_ms / 1000:.1f} s, at most {limits.cpu:g} s are allowed"
        )
    if returned.ok:
        problem = _value_problem(returned.value)
        if problem:
            return Verdict("error", problem, unawaited=unawaited)
        return Verdict("ok", value=returned.value, unawaited=unawaited)
    traceback = error.traceback[-TEXT_LIMIT:] or None
    if error.type == "MemoryError":
        return Verdict("over_memory", _memory_message(limits), error.line, traceback, unawaited=unawaited)
    message = f"{error.type[:200]}: {error.message[:TEXT_LIMIT]}" if error.message else error.type[:200]
    return Verdict("error", message, error.line, traceback, unawaited=unawaited)


def _over_requests(
    attempt: Attempt, returned: GuestResult, limits: Limits, unawaited: tuple[tuple[int, str, str], ...]
) -> Verdict:
    refused = attempt.refused
    assert refused is not None
    error = returned.error
    raised = error is not None and error.type == "RequestLimitExceeded"
    return Verdict(
        "over_requests",
        limit_message(refused.tool, refused.operation, refused.detail, limits.requests),
        error.line if error and raised else refused.line,
        error.traceback[-TEXT_LIMIT:] if error and raised else None,
        unawaited=unawaited,
    )


def method_gone(method: str, made: Callback | None, version: int) -> Verdict:
    """The outcome of an execution whose method the deployed version lacks."""
    by = f"version {made.version} made the callback, " if made else ""
    return Verdict(
        "error",
        f"CallbackNotFound: method {method!r} is gone: {by}version {version} runs. "
        "Give the new version a method of that name",
    )


def name_versions(
    attempt: Attempt, verdict: Verdict, callback: Callable[[int, str], Callback | None]
) -> Verdict:
    """Say between which versions the arguments of a callback ceased to fit, where that is what went wrong (SPEC 6).

    Args:
        attempt: What ran.
        verdict: How it ended.
        callback: Looks one up, by instance and token.
    """
    execution, version = attempt.execution, attempt.version
    if execution.callback is None or not (verdict.error or "").startswith("TypeError"):
        return verdict
    made = callback(execution.instance, execution.callback)
    method, count = version.methods[execution.method], len(json.loads(execution.args)["json"])
    if made is None or (method.required <= count and (method.maximum is None or count <= method.maximum)):
        return verdict
    versions = f"version {made.version} made the callback, version {version.number} runs"
    return replace(verdict, error=f"{verdict.error} ({versions})")


def limit_message(tool: str, operation: str, detail: str, limit: int) -> str:
    """What RequestLimitExceeded says."""
    return (
        f"request {limit + 1:,} of at most {limit:,} was not performed: {tool}.{operation} {detail[:200]}".rstrip()
        + ". Do less in one execution: self.run_task(...) queues a new one with a fresh budget"
    )


def _value_problem(text: str | None) -> str | None:
    if text is None:
        return "the sandbox returned no value"
    size = len(text.encode(errors="replace"))
    if size > VALUE_LIMIT:
        return (
            f"ValueError: the return value is {size:,} bytes encoded, at most {VALUE_LIMIT:,} fit: "
            "put it into the Store and return its key"
        )
    try:
        superjson.loads(text)
    except ValueError:
        return "the sandbox returned a value that is not superjson text"
    return None
