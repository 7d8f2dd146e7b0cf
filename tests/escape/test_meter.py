"""The meter is on the host's side: nothing that a twist does to its own objects moves it."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from tests.escape.siege import LIMITS, Attack, Siege

LIMIT = LIMITS.requests

SPEND = f"""
refused = 0
for number in range({LIMIT} + 20):
    try:
        await self.set(f"n{{number}}", number)
    except BaseException:
        refused += 1
return refused
"""

ATTACKS = [
    Attack("BaseException around everything", SPEND, "over_requests", requests=LIMIT),
    Attack(
        "a gather of 5,000",
        "await asyncio.gather(*(self.set(str(n), n) for n in range(5000)), return_exceptions=True)",
        "over_requests over_cpu",
        requests=LIMIT,
    ),
    Attack(
        "a gather of 100,000",
        "await asyncio.gather(*(self.set(str(n), n) for n in range(100_000)), return_exceptions=True)",
        "over_requests over_cpu over_memory",
        requests=None,
    ),
    Attack(
        "all that looks like a limit",
        """
        import plot_nb.sandbox.guest.app as app, plot_nb.sandbox.guest.loop as loop, plot_nb.twist.errors as errors
        for module in [*sys.modules.values()]:
            for name, value in list(vars(module).items()):
                if isinstance(value, int) and ("LIMIT" in name or "CROSSING" in name):
                    setattr(module, name, 10**9)
        class Never(Exception): pass
        errors.RequestLimitExceeded = Never
        loop._ERRORS["RequestLimitExceeded"] = Never
        for each in gc.get_objects():
            if isinstance(each, dict) and "limit" in each:
                each["limit"] = 10**9
        """
        + SPEND.replace("\n", "\n        "),
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "requests numbered the same",
        f"""
        for _ in range({LIMIT} + 5):
            cross([1, "store.set", ["a", '{{"json":1}}'], 1])
        """,
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "RequestLimitExceeded of the twist's own",
        """
        from plot_nb.twist.errors import RequestLimitExceeded
        raise RequestLimitExceeded("pwned")
        """,
        "error",
    ),
    Attack(
        "100 crossings of refused requests",
        f"n = 0\nwhile True:\n    n += 1\n    answers = cross(*[[i, 'store.clear_all', [], 1] for i in range({LIMIT} + 5)])['answers']\n    print(n)",
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "a result that says ok after the limit",
        SPEND.replace(
            "return refused",
            'json.OK = \'{"ok":true,"value":"{\\\\"json\\\\":1}"}\'\njson.dumps.__kwdefaults__ = None\njson.dumps.__code__ = (lambda *a: OK).__code__',
        ),
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "a budget that a callback shares",
        """
        again = await self.callback("spend")
        for _ in range(5):
            try:
                await self.run(again)
            except BaseException:
                pass
        """,
        "over_requests",
        requests=LIMIT,
        methods="async def spend(self):\n    for n in range(30): await self.set(str(n), n)",
    ),
    Attack(
        "a task that cannot be counted away",
        f"c = await self.callback(self.task)\nfor _ in range({LIMIT} + 5):\n    try:\n        await self.run_task(c)\n    except BaseException: pass",
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "requests that fail cost too",
        f"for _ in range({LIMIT} + 1):\n    try:\n        await self.set('k' * 2000, 1)\n    except ValueError: pass",
        "ok",
        requests=0,
    ),
    Attack(
        "forged requests that fail cost too",
        f"for _ in range({LIMIT} + 1):\n    cross([1, 'store.set', ['k' * 2000, '1'], 1])",
        "over_requests",
        requests=LIMIT,
    ),
    Attack(
        "unknown operations",
        """
        names = ["", ".", "store", "store.", ".set", "store.__class__", "store.set.set", "../store.set", "store.drop", "STORE.SET", "sql",
                 "engine.stop", "store.set\\x00", "tasks.__init__", "callbacks.OPERATIONS", "x" * 10**6, "store/set", "__proto__.x", "network.open"]
        answers = cross(*[[n, name, [], 1] for n, name in enumerate(names)])["answers"]
        return sorted({str(ok) + value["type"] for _, ok, value in answers}), len(answers)
        """,
        value=[["FalseValueError"], 19],
        requests=19,
    ),
    Attack(
        "arguments of the wrong kind",
        """
        kinds = [[], [1], [None], ["a"], ["a", None], ["a", 5], ["a", "b", "c"], [["a"]], [{}], ["a", {"json": 1}], [[]], ["a", "no json"]]
        names = ["store.set", "store.set_many", "store.get_many", "callbacks.create", "tasks.run", "callbacks.resolve", "store.list"]
        done = []
        for name in names:
            got = cross(*[[n, name, kind, 1] for n, kind in enumerate(kinds[:8])])["answers"]
            done += [[name, n] for n, ok, value in got if ok]
        return done
        """,
        value=[["store.get_many", 7], ["store.list", 3]],
        requests=56,
    ),
    Attack(
        "tokens of others and none",
        """
        tokens = ["", "cb_", "cb_" + "0" * 28, "1", "' OR 1=1 --", "%", "*", "\\x00", "x" * 10**6]
        got = cross(*[[n, name, [token], 1] for name in ("tasks.run", "callbacks.resolve") for n, token in enumerate(tokens)])
        return sorted({str(ok) + value["type"] for _, ok, value in got["answers"]})
        """,
        value=["FalseCallbackNotFound"],
        requests=18,
    ),
    Attack(
        "callbacks of what is no method",
        """
        names = ["__init__", "_secret", "set", "get", "callback", "build", "tools", "options", "", "go.__code__", "look.__globals__", "a" * 10**5, "no"]
        got = cross(*[[n, "callbacks.create", [name, '{"json":[]}'], 1] for n, name in enumerate(names)])
        return sorted({str(ok) + value["type"] for _, ok, value in got["answers"]})
        """,
        value=["FalseValueError"],
        requests=13,
    ),
    Attack(
        "arguments of a task that are no values",
        """
        texts = ["", "nope", "[", '{"json": 5}', '{"json": {}}', '{"json": [], "meta": 5}', "[" * 10**4, '{"json":' + "[" * 3000 + "]" * 3000 + "}"]
        made = cross(*[[n, "callbacks.create", ["task", text], 1] for n, text in enumerate(texts)])["answers"]
        for number, ok, token in made:
            if ok:
                cross([number, "tasks.run", [token], 1])
        """,
        requests=None,
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_meter_is_exact(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)


def test_a_token_of_another_instance_is_none(siege: Siege) -> None:
    victim = Attack("victim", "return await self.callback(self.task)", requests=1)
    token = siege.endure(victim).run.value
    thief = Attack(
        "thief",
        """
        got = cross(*[[n, name, [args[0]], 1] for n, name in enumerate(["tasks.run", "callbacks.resolve", "callbacks.delete"])])
        cross([9, "callbacks.delete_all", [], 1], [10, "store.clear_all", [], 1])
        return [ok for _, ok, _ in got["answers"]]
        """,
        requests=5,
        args=(token,),
        value=[False, False, True],
    )
    siege.endure(thief)
    handle = siege.wait(siege.runtime.deploy(victim.source(), "victim"))
    assert handle.callbacks["deleted"].tolist() == [False]
    assert len(handle.store) > 0


def test_the_store_of_another_instance_is_out_of_reach(siege: Siege) -> None:
    siege.endure(Attack("owner", "await self.set('mine', 'kept')", requests=1))
    owner = siege.wait(
        siege.runtime.deploy(Attack("owner", "await self.set('mine', 'kept')").source(), "owner")
    )
    before = owner.dump()
    keys = ["mine", "owner/mine", "1:mine", "../owner/mine", "mine' OR '1'='1", "%", "main.store", "mine\x00"]
    thief = Attack(
        "burglar",
        """
        found = await self.get_many(args[0])
        for key in args[0]:
            await self.set(key, "stolen")
        await self.clear_many(args[0])
        await self.clear_all()
        return [key for key, value in found.items() if value is not None] + await self.tools.store.list("")
        """,
        requests=12,
        args=(keys,),
        value=[],
    )
    siege.endure(thief)
    assert owner.dump() == before
