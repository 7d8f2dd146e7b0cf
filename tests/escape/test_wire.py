"""Frames and results that no guest of ours would write."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import json

import pytest

from tests.escape.siege import LIMITS, Attack, Siege

FRAMES = {
    "no JSON": "'nope'",
    "nothing": "''",
    "another kind of JSON": "'[]'",
    "a number": "'5'",
    "null": "'null'",
    "two frames": """'{"requests":[],"timeout":0}{"requests":[],"timeout":0}'""",
    "requests of no list": """'{"requests":{},"timeout":0}'""",
    "a request of three": """'{"requests":[[1,"store.get",["a"]]]}'""",
    "a request of five": """'{"requests":[[1,"store.get",["a"],1,1]]}'""",
    "an id of text": """'{"requests":[["1","store.get",["a"],1]]}'""",
    "an id of a float": """'{"requests":[[1.5,"store.get",["a"],1]]}'""",
    "an operation of null": """'{"requests":[[1,null,["a"],1]]}'""",
    "a line of text": """'{"requests":[[1,"store.get",["a"],"<b>"]]}'""",
    "a timeout of NaN": """'{"requests":[],"timeout":NaN}'""",
    "a timeout of Infinity": """'{"requests":[],"timeout":Infinity}'""",
    "a timeout of 1e999": """'{"requests":[],"timeout":1e999}'""",
    "a timeout of text": """'{"requests":[],"timeout":"0"}'""",
    "half a surrogate pair": r"""'{"requests":[[1,"store.get",["\\ud800"],1]]}'""",
    "half a surrogate pair in the operation": r"""'{"requests":[[1,"\\udfff",[],1]]}'""",
    "nothing to wait for": "'{}'",
    "10,000 requests": """json.dumps({"requests": [[n, "store.set", ["a", '{"json":1}'], 1] for n in range(10_000)]})""",
    "a deep frame": """'{"requests":' + '[' * 100_000 + ']' * 100_000 + '}'""",
    "deep arguments": """'{"requests":[[1,"store.get",' + '[' * 100_000 + ']' * 100_000 + ',1]]}'""",
    "a deep field that nobody knows": """'{"x":' + '{"a":' * 100_000 + '1' + '}' * 100_000 + ',"requests":[]}'""",
    "a million keys": """'{' + ','.join(f'"{n}":1' for n in range(300_000)) + '}'""",
    "more digits than a number has": """'{"requests":[[' + '9' * 10_000 + ',"store.get",["a"],1]]}'""",
}

TOO_LARGE = {
    "a frame of 13 MiB": "' ' * (13 * 2**20)",
    "a key of 13 MiB": """'{"requests":[[1,"store.get",["' + 'k' * (13 * 2**20) + '"],1]]}'""",
}

NO_TEXT = {
    "a frame of half a surrogate pair": "'\\ud800'",
    "a frame of bytes": "b'{}'",
    "a frame of None": "None",
}

OK = '{"ok":true,"value":"{\\"json\\":1}","unawaited":[]}'


def result(text: str) -> str:
    """A method after which the instance returns a text of its own."""
    return (
        f"json.FORGED = {text}\n"
        "json.dumps.__kwdefaults__ = None\n"
        "json.dumps.__code__ = (lambda *_: FORGED).__code__"
    )


RESULTS = {
    "no JSON": "'nope'",
    "nothing": "''",
    "a list": "'[]'",
    "no ok": "'{}'",
    "ok of text": """'{"ok":"yes"}'""",
    "no value": """'{"ok":true}'""",
    "a value of a number": """'{"ok":true,"value":5}'""",
    "a value that is no JSON": """'{"ok":true,"value":"nope"}'""",
    "a value that is no superjson": """'{"ok":true,"value":"{}"}'""",
    "a value with a meta of a number": r"""'{"ok":true,"value":"{\\"json\\":1,\\"meta\\":5}"}'""",
    "a value with a meta that lies": r"""'{"ok":true,"value":"{\\"json\\":1,\\"meta\\":{\\"values\\":[\\"Date\\"]}}"}'""",
    "a value too deep": """'{"ok":true,"value":"{\\\\"json\\\\":' + '[' * 100_000 + ']' * 100_000 + '}"}'""",
    "a value of 2 MiB": """json.dumps({"ok": True, "value": json.dumps({"json": "v" * 2**21})})""",
    "a result too deep": """'{"ok":true,"x":' + '[' * 200_000 + ']' * 200_000 + '}'""",
    "an error of a number": """'{"ok":false,"error":5}'""",
    "an error without a type": """'{"ok":false,"error":{"message":"m"}}'""",
    "an error without anything": """'{"ok":false}'""",
    "a line beyond all numbers": """'{"ok":false,"error":{"type":"E","message":"m","line":1' + '0' * 40 + '}}'""",
    "a line below zero": """'{"ok":false,"error":{"type":"E","message":"m","line":-1}}'""",
    "a forgotten line beyond all numbers": """'{"ok":true,"value":"{}","unawaited":[[1' + '0' * 40 + ',"a","b"]]}'""",
    "a limit that was not reached": """'{"ok":false,"error":{"type":"RequestLimitExceeded","message":"m"}}'""",
    "markup": """json.dumps({"ok": False, "error": {"type": "<script>pwned()</script>", "message": "\\x1b[31m<img src=x onerror=pwned()>",
              "line": 3, "traceback": "</pre><script>pwned()</script>"}})""",
    "megabytes": """json.dumps({"ok": False, "error": {"type": "E" * 10**6, "message": "m" * 10**6, "traceback": "t" * 10**6}})""",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=list(FRAMES))
def test_a_frame_that_is_no_crossing_ends_the_sandbox(siege: Siege, frame: str) -> None:
    attack = Attack(f"frame {frame[:80]}", f"return host.call({frame})", "error", says="")
    after = siege.endure(attack)
    assert "no crossing" in str(after.run.error) or "never finish" in str(after.run.error)


@pytest.mark.parametrize("frame", TOO_LARGE.values(), ids=list(TOO_LARGE))
def test_a_frame_that_is_too_large_ends_the_sandbox_unread(siege: Siege, frame: str) -> None:
    siege.endure(Attack(f"frame {frame[:80]}", f"return host.call({frame})", "crashed over_memory"))


@pytest.mark.parametrize("frame", NO_TEXT.values(), ids=list(NO_TEXT))
def test_a_frame_that_is_no_text_stops_the_interpreter(siege: Siege, frame: str) -> None:
    siege.endure(Attack(f"frame {frame[:80]}", f"return host.call({frame})", "crashed error"))


@pytest.mark.parametrize(
    ("level", "line", "text", "outcomes"),
    [
        ("'print'", "0", "'fine'", "ok"),
        ("'ready'", "0", "'again'", "ok"),
        ("'<script>pwned()</script>' * 10**5", "2**32 - 1", "'\\x1b[2J\\x00<script>'", "ok"),
        ("'system'", "1", "'suspended: a lie'", "ok"),
        ("'print'", "-1", "''", "crashed error"),
        ("'print'", "2**32", "''", "crashed error"),
        ("'print'", "'1'", "''", "crashed error"),
        ("'print'", "1", "'\\ud800'", "crashed error"),
        ("None", "1", "''", "crashed error"),
        ("'print'", "1", "'x' * 20_000_000", "ok over_memory"),
    ],
)
def test_forged_entries_of_the_log(siege: Siege, level: str, line: str, text: str, outcomes: str) -> None:
    after = siege.endure(Attack(f"log {level} {line} {text}", f"host.log({level}, {line}, {text})", outcomes))
    assert set(after.run.logs["level"]) <= {"print", "info", "warning", "error"}
    assert after.run.logs["text"].str.len().sum() <= 10**6 + 1000


@pytest.mark.parametrize("text", RESULTS.values(), ids=list(RESULTS))
def test_a_forged_result_is_an_error(siege: Siege, text: str) -> None:
    after = siege.endure(Attack(f"result {text[:80]}", result(text), "error"))
    assert after.run.value is None
    assert len(str(after.run.error)) + len(str(after.run.traceback)) < 50_000


def test_a_forged_result_may_say_what_the_method_might_have_said(siege: Siege) -> None:
    attack = Attack("a result of its own", result(f"'{OK}'".replace('\\"', '\\\\"')), value=1)
    siege.endure(attack)


def test_a_result_over_12_mib_ends_the_sandbox_unread(siege: Siege) -> None:
    siege.endure(Attack("a result of 13 MiB", result("'x' * (13 * 2**20)"), "crashed", says="result"))


@pytest.mark.rule("3.15")
@pytest.mark.parametrize("number", [-1, 0, 2**53, 10**30, 7])
def test_ids_and_lines_are_labels_and_nothing_else(siege: Siege, number: int) -> None:
    frame = {
        "requests": [[number, "store.set", [f"a{n}", '{"json":1}'], number] for n in range(5)],
        "timeout": None,
    }
    attack = Attack(
        f"ids {number}",
        f"return [n for n, _, _ in json.loads(host.call({json.dumps(frame)!r}.replace('null', 'null')))['answers']]",
        requests=5,
    )
    after = siege.endure(attack)
    assert set(after.run.value) == {number if abs(number) < 2**53 else float(number)} or number > 2**52
    assert len(after.twist.store) == 6


def test_a_crossing_from_within_the_loop_s_own_is_answered(siege: Siege) -> None:
    siege.endure(
        Attack(
            "crossing under way",
            """
            tasks = [asyncio.ensure_future(self.set(str(n), n)) for n in range(10)]
            await asyncio.sleep(0)
            stolen = cross([1, "store.get", ["a"], 1], [2, "store.set", ["b", '{"json":2}'], 1])
            cross(timeout=1); cross(timeout=1)
            done, waiting = await asyncio.wait(tasks, timeout=1)
            return len(stolen["answers"])
            """,
            requests=None,
        )
    )


@pytest.mark.rule("3.15")
def test_as_many_requests_as_fit_are_performed_once_each(siege: Siege) -> None:
    attack = Attack(
        "256 in a frame",
        "cross(*[[n, 'store.set', [str(n), '{\"json\":1}'], 1] for n in range(256)])",
        "over_requests",
        requests=LIMITS.requests,
    )
    after = siege.endure(attack)
    assert len(after.twist.store) >= LIMITS.requests
