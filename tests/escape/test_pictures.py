"""What a twist says, and what an API says to it, is text on every screen; what it stores is data or text."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from tests.escape.siege import Attack, Siege

EVIL = (
    "<script>pwned()</script><img src=x onerror=pwned()>\"'></svg></style><a href='javascript:pwned()'>&lt; "
    "\x1b[2J\x1b]0;pwned\x07\x9b31m\x00\x7f\r\u202e\u2066 $\\href{javascript:pwned()}{x}$ \ufeff\ud800 \U000e0041"
)

SPEECH = [
    Attack(
        "keys",
        "for part in EVIL.split():\n    try:\n        await self.set(part, part)\n    except ValueError:\n        pass\nawait self.get('<script>pwned()</script>')",
        requests=None,
    ),
    Attack(
        "values",
        "await self.set('k', EVIL.replace('\\ud800', ''))\nreturn EVIL.replace('\\ud800', '')",
        requests=1,
    ),
    Attack(
        "values with half a surrogate pair",
        "await self.set('k', EVIL)\nreturn EVIL",
        "ok error",
        requests=None,
    ),
    Attack("print", "print(EVIL); print(EVIL, file=sys.stderr); sys.stdout.write(EVIL)"),
    Attack("log", "self.log.info(EVIL); self.log.warning({EVIL: EVIL}); self.log.error(EVIL)", "ok error"),
    Attack("exceptions", "raise type('E<script>', (Exception,), {})(EVIL)", "error"),
    Attack("exceptions with a name that is no text", "raise type(EVIL, (Exception,), {})(EVIL)", "error"),
    Attack(
        "exceptions with notes and causes",
        "e = ValueError(EVIL)\ne.add_note(EVIL)\nraise KeyError(EVIL) from e",
        "error",
    ),
    Attack("a syntax error of its own", "raise SyntaxError(EVIL, ('<cell>', 10**30, 10**30, EVIL))", "error"),
    Attack(
        "a syntax error with a line of text", "raise SyntaxError('x', ('<cell>', EVIL, None, EVIL))", "error"
    ),
    Attack(
        "code with a file name",
        "exec(compile('raise ValueError', EVIL.replace('\\x00', '').replace('\\ud800', ''), 'exec'))",
        "error",
    ),
    Attack(
        "code with the cell's file name",
        "exec(compile('\\n' * 10**5 + 'raise ValueError', '<cell>', 'exec'))",
        "error",
    ),
    Attack(
        "a method that calls itself otherwise",
        "async def f(): raise ValueError\nf.__name__ = f.__qualname__ = '<script>'\nf.__code__ = f.__code__.replace(co_name='<script>pwned()', co_qualname='<img src=x>')\nawait f()",
        "error",
    ),
    Attack("forgotten requests", "for part in EVIL.split(): self.get(part) if '\\ud800' not in part else 0"),
    Attack(
        "operations",
        "cross(*[[n, part.replace('\\ud800', ''), [part.replace('\\ud800', '')], 1] for n, part in enumerate(EVIL.split())])",
        requests=None,
    ),
    Attack(
        "URLs",
        "for part in EVIL.split():\n    try:\n        await fetch('https://example.com/' + part)\n    except (PermissionError, ValueError):\n        pass",
        requests=None,
    ),
    Attack(
        "methods of callbacks",
        "for part in EVIL.split():\n    try:\n        await self.callback(part)\n    except (ValueError, TypeError):\n        pass",
        requests=None,
    ),
    Attack(
        "a refused request",
        "for n in range(100): await self.set(f'<script>pwned()</script>{n}', 1)",
        "over_requests",
        requests=None,
    ),
]


@pytest.mark.rule("12.1", "12.2", "12.3")
@pytest.mark.parametrize("attack", SPEECH, ids=str)
def test_what_a_twist_says_is_text(siege: Siege, attack: Attack) -> None:
    after = siege.endure(Attack(**{**fields(attack), "head": f"EVIL = {EVIL!r}\n{attack.head}"}))
    for frame in (after.twist.store, after.twist.store_history, after.twist.tasks, after.twist.executions):
        assert isinstance(frame.to_html(max_rows=20), str)


def fields(attack: Attack) -> dict[str, Any]:
    return {name: getattr(attack, name) for name in attack.__dataclass_fields__}


@pytest.mark.rule("12.1", "12.3")
@pytest.mark.parametrize("where", ["body", "header", "status", "json"])
def test_what_an_api_says_is_text(siege: Siege, where: str) -> None:
    shown = EVIL.replace("\ud800", "")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-evil", b"<script>pwned()</script>\x9b")] if where == "header" else []
        status = 599 if where == "status" else 200
        body = json.dumps({shown: [shown]}) if where == "json" else shown
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    siege.runtime.mount("https://api.example.com", app)
    attack = Attack(
        f"an API's {where}",
        """
        response = await fetch("https://api.example.com/<script>pwned()</script>?a=<img/src=x/onerror=pwned()>")
        text = await response.text()
        print(text, response.headers, response.status, response.url)
        await self.set(text[:200], text)
        raise ValueError(text)
        """,
        "error",
        requests=2,
        methods='def build(self, build): return {"n": build(Network, urls=["https://api.example.com/*"])}',
    )
    siege.endure(attack)


BOMBS = {
    "deep": '{"json":' + "[" * 3000 + "]" * 3000 + "}",
    "very deep": '{"json":' + "[" * 400_000 + "]" * 400_000 + "}",
    "deep meta": '{"json":1,"meta":{"values":' + "[" * 3000 + "]" * 3000 + "}}",
    "deep equalities": '{"json":1,"meta":{"referentialEqualities":'
    + '{"a":' * 2000
    + "1"
    + "}" * 2000
    + "}}",
    "no json": '{"meta":{}}',
    "meta of text": '{"json":1,"meta":"x"}',
    "meta of everything": '{"json":{"a":1},"meta":{"values":{"a":["Date"],"b":["set"],"":["map"]}}}',
    "a kind that is none": '{"json":"x","meta":{"values":[["class","os.system"]]}}',
    "a custom kind": '{"json":"touch /tmp/pwned","meta":{"values":[["custom","os.system"]]}}',
    "a symbol": '{"json":"x","meta":{"values":[["symbol","x"]]}}',
    "typed array": '{"json":[1],"meta":{"values":[["typed-array","Int8Array"]]}}',
    "proto": '{"json":{"__proto__":{"polluted":true},"constructor":1,"prototype":2}}',
    "proto by path": '{"json":{"a":1},"meta":{"values":{"__proto__.polluted":["Date"],"__class__":["Date"]}}}',
    "proto by equality": '{"json":{"a":{}},"meta":{"referentialEqualities":{"a":["__proto__"]}}}',
    "a cycle": '{"json":{"a":{"b":1}},"meta":{"referentialEqualities":{"a":["a.b"]}}}',
    "a cycle of itself": '{"json":{"a":{"b":1}},"meta":{"referentialEqualities":[["a"]]}}',
    "laughs": json.dumps(
        {
            "json": {"a": ["ha"] * 10} | {f"b{n}": [None] * 10 for n in range(40)},
            "meta": {
                "referentialEqualities": {
                    "a": [f"b0.{m}" for m in range(10)],
                    **{f"b{n}": [f"b{n + 1}.{m}" for m in range(10)] for n in range(39)},
                }
            },
        }
    ),
    "a date beyond the calendar": '{"json":"99999-99-99","meta":{"values":["Date"]}}',
    "a date of digits": '{"json":"' + "9" * 10_000 + '","meta":{"values":["Date"]}}',
    "a bigint of a megabyte": '{"json":"' + "9" * 1_000_000 + '","meta":{"values":["bigint"]}}',
    "a number of a megabyte": '{"json":' + "9" * 1_000_000 + "}",
    "a number beyond": '{"json":1e999}',
    "a number that is none": '{"json":NaN}',
    "a number by name": '{"json":"Infinity","meta":{"values":["number"]}}',
    "a regexp that blows up": '{"json":"/(a+)+$/g","meta":{"values":["regexp"]}}',
    "a regexp that repeats": '{"json":"/a{9999999999999999999}/","meta":{"values":["regexp"]}}',
    "a regexp that is none": '{"json":"/(((/","meta":{"values":["regexp"]}}',
    "a regexp that is deep": '{"json":"/' + "(" * 20_000 + ")" * 20_000 + '/","meta":{"values":["regexp"]}}',
    "a regexp that warns": '{"json":"/[[a]&&[b]--c]/","meta":{"values":["regexp"]}}',
    "a regexp of a megabyte": '{"json":"/' + "a?" * 200_000 + '/","meta":{"values":["regexp"]}}',
    "a regexp of many classes": '{"json":"/' + "[a-z\\\\d]" * 50_000 + '/","meta":{"values":["regexp"]}}',
    "an error that exits": '{"json":{"name":"SystemExit","message":"x"},"meta":{"values":["Error"]}}',
    "an error of markup": '{"json":{"name":"<script>pwned()","message":"<img src=x onerror=pwned()>","stack":5},"meta":{"values":["Error"]}}',
    "a URL of a script": '{"json":"javascript:pwned()","meta":{"values":["URL"]}}',
    "a URL of nothing": '{"json":5,"meta":{"values":["URL"]}}',
    "a set of sets": '{"json":[[1],[2],[{}]],"meta":{"values":["set"]}}',
    "a map of nothing": '{"json":[[1]],"meta":{"values":["map"]}}',
    "keys that collide": '{"json":['
    + ",".join(f"[{n * (2**61 - 1)},1]" for n in range(3000))
    + '],"meta":{"values":["map"]}}',
    "texts that are half": '{"json":"\\ud800","meta":{}}',
    "crumbs": '{"json":[' + ",".join(["[]"] * 300_000) + "]}",
    "many columns": json.dumps({"json": {f"<script>{n}": n for n in range(3000)}}),
    "columns of the table's own": json.dumps(
        {"json": {n: [1] for n in ("updated", "execution", "value", "", "key.updated")}}
    ),
    "many notes": json.dumps(
        {
            "json": {str(n): "1" for n in range(5000)},
            "meta": {"values": {str(n): ["bigint"] for n in range(5000)}},
        }
    ),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_what_a_forged_frame_stores_is_data_or_text(
    siege: Siege, text: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    attack = Attack(
        f"bomb: {name}",
        "[[_, ok, problem]] = cross([1, 'store.set', ['key', args[0]], 1])['answers']\nreturn ok",
        requests=1,
        args=(text,),
    )
    after = siege.endure(attack)
    twist, run = after.twist, after.run
    for frame in (twist.store, twist.store_history, run.progress("key"), twist.callbacks):
        assert isinstance(frame, pd.DataFrame)
        assert isinstance(frame.to_html(max_rows=20, max_cols=20), str)
        assert len(repr(frame)) < 10_000
    if run.value:
        assert twist.dump()["key"] == text
        kept = twist.store.set_index("key")["value"]["key"]
        assert kept == text or twist.store.set_index("key")["type"]["key"] != "invalid"
    read = siege.wait(twist.call("look"))
    assert read.outcome == "ok"


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_what_a_forged_result_returns_is_data_or_refused(
    siege: Siege, text: str, request: pytest.FixtureRequest
) -> None:
    attack = Attack(
        f"returned bomb: {request.node.callspec.id}",
        """
        json.FORGED = '{"ok":true,"value":' + json.dumps(args[0]) + '}'
        json.dumps.__kwdefaults__ = None
        json.dumps.__code__ = (lambda *_: FORGED).__code__
        """,
        "ok error",
        args=(text,),
    )
    after = siege.endure(attack)
    assert len(repr(after.run.value)) < 10**7
