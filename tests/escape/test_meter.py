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
        value=[["store.get_many", 7], ["store.list", 3], ["store.list", 4], ["store.list", 5]],
        requests=56,
    ),
    Attack(
        "tokens of others and none",
        """
        tokens = ["", "cb_", "cb_" + "0" * 28, "1", "' OR 1=1 --", "%", "*", "\\x00", "x" * 10**6]
        calls = [["tasks.run", lambda t: [t, None]], ["tasks.run", lambda t: [t, 1e12]], ["callbacks.resolve", lambda t: [t]],
                 ["tasks.schedule", lambda t: ["key", t, 1e12, False]], ["tasks.schedule_recurring", lambda t: ["key", t, 1000, None]]]
        got = cross(*[[0, name, make(token), 1] for name, make in calls for token in tokens])
        return sorted({str(ok) + value["type"] for _, ok, value in got["answers"]})
        """,
        value=["FalseCallbackNotFound"],
        requests=45,
    ),
    Attack(
        "times that no clock can show",
        """
        token = await self.callback(self.task)
        times = ["-1", "-1e308", "1e308", "1e300", "253402300800000", "null", '"soon"', "true", "[]", "9" * 400]
        done = []
        for time in times:
            for name, arguments in (("run", f'["{token}", {time}]'), ("schedule", f'["k", "{token}", {time}, false]'),
                                    ("schedule_recurring", f'["k", "{token}", {time}, null]')):
                if (name, time) != ("run", "null"):
                    frame = '{"requests":[[1,"tasks.%s",%s,1]],"timeout":null}' % (name, arguments)
                    done += [(name, time) for _, ok, _ in json.loads(host.call(frame))["answers"] if ok]
        return done
        """,
        value=[],
        requests=30,
    ),
    Attack(
        "times at the ends of the calendar",
        """
        token = await self.callback(self.task)
        cross([1, "tasks.schedule", ["last", token, 253402300799000, False], 1],
              [2, "tasks.schedule_recurring", ["rare", token, 250000000000000, None], 1],
              [3, "tasks.run", [token, 253402300799000], 1], [4, "tasks.schedule", ["<script>pwned()", token, 1e15, True], 1])
        """,
        requests=5,
    ),
    Attack(
        "a schedule of others is not cancelled",
        """
        return [ok for _, ok, _ in cross([1, "tasks.cancel_all", [], 1], [2, "tasks.cancel_scheduled", ["last"], 1],
                                         [3, "tasks.cancel", ["%"], 1], [4, "tasks.cancel", [None], 1])["answers"]]
        """,
        value=[True, True, True, False],
        requests=4,
    ),
    Attack(
        "locks by forged frames",
        """
        kinds = [["a", -1], ["a", 0], ["a", 1e308], ["a", None], ["a"], ["a" * 2000, 10], [None, 10], ["a", "1"]]
        got = cross(*[[n, "store.acquire_lock", kind, 1] for n, kind in enumerate(kinds)])["answers"]
        more = cross([1, "store.set", ["__lock__:a", '{"json":1}'], 1], [2, "store.clear", ["__lock__:a"], 1],
                     [3, "store.set_many", [{"b": '{"json":1}', "__lock__:b": '{"json":1}'}], 1], [4, "store.release_lock", ["a"], 1])["answers"]
        return [n for n, ok, _ in got if ok] + [[n, ok] for n, ok, _ in more]
        """,
        value=[[1, False], [2, False], [3, False], [4, True]],
        requests=12,
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
                cross([number, "tasks.run", [token, None], 1])
        """,
        requests=None,
    ),
]


@pytest.mark.rule("3.15")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_meter_is_exact(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)


@pytest.mark.rule("6.12", "6.13")
def test_a_token_of_another_instance_is_none(siege: Siege) -> None:
    victim = Attack("victim", "return await self.callback(self.task)", requests=1)
    token = siege.endure(victim).run.value
    thief = Attack(
        "thief",
        """
        got = cross(*[[n, name, arguments, 1] for n, (name, arguments) in enumerate([("tasks.run", [args[0], None]), ("callbacks.resolve", [args[0]]), ("callbacks.delete", [args[0]])])])
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


@pytest.mark.rule("5.4")
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
