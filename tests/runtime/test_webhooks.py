"""SPEC 9: webhooks, posted in the notebook itself."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from plot_nb import Limits, Runtime
from plot_nb.journal.reader import rows
from plot_nb.tools.webhooks import token_of
from tests.runtime.twists import called, line_of, methods, on_runtime

T = TypeVar("T")

HEAD = """
from datetime import UTC, datetime
from plot_nb.twist.request import Request
"""

HOOKS = """
def build(self, build):
    return {"network": build(Network, urls=["https://api.example.com/*"])}
async def hook(self, method="on_event", *args, sync=False):
    return await self.tools.network.create_webhook(method, *args, sync=sync)
async def drop(self, url):
    await self.tools.network.delete_webhook(url)
async def on_event(self, request, *extra):
    await self.set("events", [*(await self.get("events") or []), [request.raw_body, *extra]])
    return len(extra)
async def keep(self, request):
    parts = ("method", "headers", "params", "raw_body")
    await self.set("request", {name: getattr(request, name) for name in parts})
async def fails(self, request):
    await self.set("tries", (await self.get("tries") or 0) + 1)
    raise ValueError("a detail that nobody outside shall see")
async def greedy(self, request):
    while True:
        await self.get("nothing")
async def goes_on(self, request):
    await self.run_task(await self.callback(self.later))
async def later(self):
    await self.set("later", True)
async def ask(self, path):
    answer = await fetch(f"https://api.example.com/{path}")
    return await answer.text()
async def asks(self, request, path):
    return f"{path}:{await self.ask(path)}"
"""

UNKNOWN = "https://webhooks.plot.test/wh_" + "0" * 28


def hooked(work: Callable[[Runtime, Any], Awaitable[T]], *, more: str = "", **settings: Any) -> T:
    """Run `work` with a runtime and a twist that has webhooks."""

    async def deployed(runtime: Runtime) -> T:
        return await work(runtime, await runtime.deploy(methods(HOOKS + more, head=HEAD)))

    return on_runtime(deployed, **settings)


def stored(twist: Any) -> dict[str, Any]:
    table = twist.store
    return dict(zip(table["key"], table["value"], strict=True))


@pytest.mark.rule("9.20")
@pytest.mark.parametrize("seed", [1, 2])
def test_the_url_of_a_webhook_ends_in_a_token_that_nothing_else_has(seed: int) -> None:
    async def work(_: Runtime, twist: Any) -> None:
        urls = [(await twist.hook()).value for _ in range(5)]
        assert all(url.startswith("https://webhooks.plot.test/wh_") for url in urls)
        tokens = {token_of(url) for url in urls}
        assert len(tokens) == 5
        assert all(token is not None and len(token) == 31 for token in tokens)
        seen.update(str(token) for token in tokens)

    seen: set[str] = set()
    hooked(work, seed=seed)
    again: set[str] = set(seen)
    hooked(work, seed=seed)
    assert seen == again  # the same seed, the same journal
    hooked(work, seed=seed + 10)
    assert len(seen) == 10


@pytest.mark.rule("9.33")
@pytest.mark.parametrize(
    ("url", "kind"), [("wh_0", ValueError), ("", ValueError), ("/wh_0", ValueError), (None, TypeError)]
)
def test_what_is_no_url_is_refused_with_what_to_give(url: Any, kind: type[Exception]) -> None:
    async def work(runtime: Runtime, _: Any) -> None:
        with pytest.raises(kind, match="as create_webhook returned it"):
            await runtime.post_webhook(url)

    hooked(work)


def test_a_webhook_for_a_method_that_does_not_exist_is_a_value_error_there_and_then() -> None:
    body = """
    async def go(self):
        await Request("network.create_webhook", ["nosuch", '{"json":[]}', False])
    """
    result = called(body, head=HEAD)
    assert "a webhook needs a method, there is no async method 'nosuch'" in str(result.error)
    assert result.line == line_of(methods(body, head=HEAD), "nosuch")


@pytest.mark.parametrize(
    "args", ["", "5", '{"json":5}', '{"json":[1],"meta":5}', '{"json":["' + "x" * 2**20 + '"]}']
)
def test_extra_arguments_that_are_no_list_of_values_make_no_webhook(args: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(
            methods(
                'async def go(self, text): await Request("network.create_webhook", ["go", text, False])',
                head=HEAD,
            )
        )
        run = await twist.go(args)
        assert str(run.error).startswith("ValueError: the arguments of the webhook for 'go' are ")
        assert runtime.webhooks().empty

    on_runtime(work)


@pytest.mark.rule("9.21", "9.29", "9.33", "2.5", "6.5")
def test_a_post_is_queued_and_runs_in_the_next_drive_with_the_extra_arguments_last() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url = (await twist.hook("on_event", 7, datetime(2026, 5, 1, tzinfo=UTC))).value
        for text in ("one", "two"):
            answer = await runtime.post_webhook(url, content=text)
            assert (answer.status_code, answer.json()) == (200, {"queued": True})
        assert "events" not in stored(twist)
        assert (
            twist.tasks[["method", "cause", "state"]].values.tolist()
            == [["on_event", "webhook", "queued"]] * 2
        )
        run = await runtime.run_until_idle()
        assert run.executions["cause"].tolist() == ["webhook", "webhook"]
        assert run.executions["parent"].tolist() == [None, None]
        moment = datetime(2026, 5, 1, tzinfo=UTC)
        assert stored(twist)["events"] == [["one", 7, moment], ["two", 7, moment]]

    hooked(work)


@pytest.mark.rule("9.26")
def test_the_request_is_what_a_client_would_send() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url = (await twist.hook("keep", sync=True)).value
        given = {"X-Signed": "by me"}
        await runtime.post_webhook(
            url, json={"a": [1]}, headers=given, params={"q": "x y", "empty": ""}, method="PUT"
        )
        request = stored(twist)["request"]
        assert (request["method"], request["params"]) == ("PUT", {"q": "x y", "empty": ""})
        assert request["raw_body"] == '{"a":[1]}'
        assert request["headers"]["content-type"] == "application/json"
        assert (request["headers"]["content-length"], request["headers"]["x-signed"]) == ("9", "by me")
        await runtime.post_webhook(url, data={"form": "1 2"})
        request = stored(twist)["request"]
        assert request["raw_body"] == "form=1+2"
        assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"

    hooked(work)


def test_a_body_that_is_no_text_can_be_had_back_byte_for_byte() -> None:
    more = """
    async def bytes_of(self, request):
        return list(request.raw_body.encode("utf-8", "surrogateescape"))
    """

    async def work(runtime: Runtime, twist: Any) -> None:
        url = (await twist.hook("bytes_of", sync=True)).value
        body = bytes(range(256)) + "ä€😀".encode()
        assert (await runtime.post_webhook(url, content=body)).json() == list(body)

    hooked(work, more=textwrap.dedent(more))


ANSWERS = [
    ("'plain <b>'", "text/plain; charset=utf-8", b"plain <b>"),
    ("''", "text/plain; charset=utf-8", b""),
    ("'\\udcff'", "text/plain; charset=utf-8", b"\xff"),
    ("'\\ud800'", "text/plain; charset=utf-8", b"?"),
    ("None", None, b""),
    ("UNDEFINED", None, b""),
    ("0", "application/json", b"0"),
    ("False", "application/json", b"false"),
    ("{'a': [1, None]}", "application/json", b'{"a": [1, null]}'),
    ("[datetime(2026, 1, 1, tzinfo=UTC)]", "application/json", b'["2026-01-01T00:00:00.000Z"]'),
    ("[{1, 2}, 2**60, float('nan')]", "application/json", b'[[1, 2], "1152921504606846976", "NaN"]'),
]


@pytest.mark.rule("9.23")
@pytest.mark.parametrize(("value", "content_type", "body"), ANSWERS)
def test_what_a_synchronous_webhook_returns_is_the_answer(
    value: str, content_type: str | None, body: bytes
) -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        answer = await runtime.post_webhook((await twist.hook("returns", sync=True)).value)
        assert (answer.status_code, answer.content) == (200, body)
        assert answer.headers.get("content-type") == content_type
        assert answer.headers["x-content-type-options"] == "nosniff"

    hooked(work, more=f"async def returns(self, request): return {value}\n")


@pytest.mark.rule("9.24", "7.51")
@pytest.mark.parametrize("method", ["fails", "greedy", "later"])
def test_a_synchronous_webhook_that_fails_says_nothing_but_that_and_is_not_tried_again(method: str) -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        answer = await runtime.post_webhook((await twist.hook(method, sync=True)).value, json=1)
        assert (answer.status_code, answer.content) == (500, b"")
        await runtime.run_until_idle()
        assert len(twist.executions.query("cause == 'webhook'")) == 1
        assert runtime.dead_letters().empty

    hooked(work, limits=Limits(requests=20))


@pytest.mark.rule("7.51")
def test_an_asynchronous_webhook_that_fails_is_tried_three_times_then_dead() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await runtime.post_webhook((await twist.hook("fails")).value)
        run = await runtime.run_until_idle()
        assert run.executions["attempt"].tolist() == [1, 2, 3]
        assert stored(twist)["tries"] == 3
        assert twist.tasks["state"].tolist() == ["dead"]

    hooked(work)


def test_the_answer_comes_when_the_method_has_ended_and_what_it_queued_runs_later() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        answer = await runtime.post_webhook((await twist.hook("goes_on", sync=True)).value)
        assert answer.status_code == 200
        assert "later" not in stored(twist)
        assert runtime.last_run is not None
        assert runtime.last_run.executions["method"].tolist() == ["goes_on"]
        await runtime.run_until_idle()
        assert stored(twist)["later"] is True

    hooked(work)


def posting(runtime: Runtime, urls: dict[str, str]) -> Any:
    """An app that posts to the webhook of a path, and answers what that answered."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer = await runtime.post_webhook(urls[scope["path"].lstrip("/")])
        await send({"type": "http.response.start", "status": answer.status_code, "headers": []})
        await send({"type": "http.response.body", "body": answer.content})

    return app


@pytest.mark.rule("9.22")
def test_a_synchronous_webhook_runs_while_its_own_twist_awaits_who_posts_to_it() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        urls = {"a": (await twist.hook("on_event", "extra", sync=True)).value}
        runtime.mount("https://api.example.com", posting(runtime, urls))
        run = await twist.ask("a")
        assert (run.outcome, run.value) == ("ok", "1")
        caller, posted = twist.executions.iloc[-2:].itertuples()
        assert (caller.method, posted.method) == ("ask", "on_event")
        assert caller.started < posted.started < posted.ended < caller.ended
        # The fetch took its own 50 ms, and what the webhook took: 20 ms to start, and two requests.
        assert run.requests["duration_ms"].tolist() == [80.0]

    hooked(work)


@pytest.mark.rule("9.22")
def test_synchronous_webhooks_that_wait_for_each_other_get_sandboxes_beyond_those_that_are_taken() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        urls = {"last": (await twist.hook("on_event", sync=True)).value}
        for place, following in (("c", "last"), ("b", "c"), ("a", "b")):
            urls[place] = (await twist.hook("asks", following, sync=True)).value
        runtime.mount("https://api.example.com", posting(runtime, urls))
        run = await twist.ask("a")
        assert (run.outcome, run.value) == ("ok", "b:c:last:0")

    hooked(work)


def test_tasks_of_a_twist_wait_for_its_turn_while_its_webhook_runs_beside() -> None:
    """A synchronous webhook takes nobody's turn, and gives nobody one."""

    async def work(runtime: Runtime, twist: Any) -> None:
        urls = {"a": (await twist.hook("goes_on", sync=True)).value}
        runtime.mount("https://api.example.com", posting(runtime, urls))
        run = await twist.ask("a")
        assert run.ok
        await runtime.run_until_idle()
        ask, posted, later = twist.executions.iloc[-3:].itertuples()
        assert [ask.method, posted.method, later.method] == ["ask", "goes_on", "later"]
        assert posted.ended < ask.ended <= later.started

    hooked(work)


@pytest.mark.rule("9.25", "9.30")
def test_a_webhook_that_is_gone_is_answered_404() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, other = (await twist.hook()).value, (await twist.hook()).value
        for _ in range(2):
            assert (await twist.drop(url)).ok
        for gone in (url, UNKNOWN, "https://webhooks.plot.test/", "https://example.com/wh_", f"{other}/more"):
            answer = await runtime.post_webhook(gone, json=1)
            assert (answer.status_code, answer.content) == (404, b"")
        assert (await runtime.post_webhook(other)).status_code == 200
        await twist.deactivate()
        assert (await runtime.post_webhook(other)).status_code == 404
        await runtime.deploy(methods(HOOKS, head=HEAD))
        assert (await runtime.post_webhook(other)).status_code == 404
        assert runtime.webhooks()["deleted"].tolist() == [True, True]
        await runtime.reset()
        assert (await runtime.post_webhook(other)).status_code == 404
        assert runtime.webhooks().empty

    hooked(work)


@pytest.mark.rule("9.30", "10.34")
def test_a_twist_deletes_only_its_own_webhooks() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        other: Any = await runtime.deploy(methods(HOOKS, head=HEAD), instance="other")
        url = (await twist.hook()).value
        for given in (url, UNKNOWN, "", "wh_", "https://x/" * 5000):
            assert (await other.drop(given)).ok
        assert (await runtime.post_webhook(url)).status_code == 200
        await other.deactivate()
        assert (await runtime.post_webhook(url)).status_code == 200

    hooked(work)


@pytest.mark.rule("9.28")
def test_a_body_over_a_mebibyte_is_413_and_queues_nothing() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, sync = (await twist.hook()).value, (await twist.hook("on_event", sync=True)).value
        for each in (url, sync):
            answer = await runtime.post_webhook(each, content=b"x" * (2**20 + 1))
            assert (answer.status_code, answer.content) == (413, b"")
        assert twist.tasks.empty
        assert (await runtime.post_webhook(url, content=b"\xff" * 2**20)).status_code == 200
        assert twist.tasks["state"].tolist() == ["queued"]

    hooked(work)


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (400, {"params": {"constructor": "1"}}),
        (400, {"headers": {"__proto__": "1"}}),
        (400, {"params": {str(n): "1" for n in range(1001)}}),
        (405, {"method": "OPTIONS"}),
        (405, {"method": "BREW"}),
        (431, {"headers": {"x": "x" * 2**16}}),
        (431, {"params": {"x": "x" * 2**15}, "headers": {"x": "x" * 2**15}}),
    ],
)
def test_a_request_that_no_twist_could_be_given_is_refused(status: int, given: Any) -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        answer = await runtime.post_webhook((await twist.hook()).value, **given)
        assert (answer.status_code, answer.content) == (status, b"")
        assert twist.tasks.empty

    hooked(work)


@pytest.mark.rule("10.15")
def test_webhooks_survive_an_upgrade_and_find_their_method_by_name() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, sync = (await twist.hook()).value, (await twist.hook("on_event", sync=True)).value
        await runtime.post_webhook(url, content="before")
        after = HOOKS.replace("[request.raw_body, *extra]", '["new", request.raw_body]')
        await runtime.deploy(methods(after, head=HEAD))
        await runtime.run_until_idle()
        assert (await runtime.post_webhook(sync, content="after")).status_code == 200
        assert sorted(stored(twist)["events"]) == [["new", "after"], ["new", "before"]]
        assert runtime.webhooks()["version"].tolist() == [1, 1]
        await runtime.deploy(methods(after.replace("on_event(", "renamed("), head=HEAD))
        assert (await runtime.post_webhook(sync)).status_code == 500
        assert "'on_event' is gone" in str(twist.executions["error"].iloc[-1])

    hooked(work)


@pytest.mark.rule("10.7")
def test_posts_that_wait_are_dropped_when_their_twist_is_deactivated() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await runtime.post_webhook((await twist.hook()).value)
        await twist.deactivate()
        await runtime.run_until_idle()
        assert twist.tasks["state"].tolist() == ["cancelled"]

    hooked(work)


@pytest.mark.rule("10.29")
def test_a_suspended_twist_queues_posts_and_answers_503_to_who_waits() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, sync = (await twist.hook()).value, (await twist.hook("on_event", sync=True)).value
        await runtime.suspend(twist)
        assert (await runtime.post_webhook(sync)).status_code == 503
        assert (await runtime.post_webhook(url, content="kept")).json() == {"queued": True}
        await runtime.run_until_idle()
        assert "events" not in stored(twist)
        await runtime.resume(twist)
        await runtime.run_until_idle()
        assert stored(twist)["events"] == [["kept"]]

    hooked(work)


@pytest.mark.rule("4.29")
def test_options_are_masked_in_what_the_journal_keeps_of_a_post() -> None:
    secret = "s3cret-of-the-sender"

    async def work(runtime: Runtime) -> None:
        twist: Any = await runtime.deploy(methods(HOOKS, head=HEAD), options={"token": secret})
        url = (await twist.hook("keep", sync=True)).value
        await runtime.post_webhook(url, json={"token": secret}, headers={"authorization": secret})
        kept = [body for (body,) in rows(runtime.path, "SELECT body FROM payloads")]
        assert any("raw_body" in body for body in kept)
        assert not any(secret in body for body in kept)

    on_runtime(work)


def test_the_table_of_webhooks_tells_what_each_is_and_how_often_it_was_posted_to() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        other: Any = await runtime.deploy(methods(HOOKS, head=HEAD), instance="other")
        made = await twist.hook("keep", sync=True)
        await other.hook()
        for _ in range(3):
            await runtime.post_webhook(made.value)
        table = runtime.webhooks()
        assert table[["instance", "method", "sync", "version", "deleted", "posts"]].values.tolist() == [
            ["default", "keep", True, 1, False, 3],
            ["other", "on_event", False, 1, False, 0],
        ]
        own = runtime.webhooks(twist)
        assert own[["url", "twist"]].values.tolist() == [[made.value, "Sync"]]
        assert own["execution"].tolist() == made.executions["execution"].tolist()

    hooked(work)


def test_posts_that_come_together_are_one_commit_and_keep_their_order() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        commits: list[str] = []
        url = (await twist.hook()).value
        setattr(runtime._backend, "commit_point", commits.append)  # noqa: B010  mypy takes no assignment here

        async def from_the_loop() -> list[Any]:
            return await asyncio.gather(*(runtime.post_webhook(url, content=str(n)) for n in range(20)))

        answers = await runtime._submit(from_the_loop())
        assert {answer.status_code for answer in answers} == {200}
        assert commits.count("after post") == 1
        await runtime.run_until_idle()
        assert stored(twist)["events"] == [[str(n)] for n in range(20)]

    hooked(work)


@pytest.mark.rule("2.6", "9.21")
def test_on_the_real_clock_a_post_runs_by_itself() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, sync = (await twist.hook()).value, (await twist.hook("on_event", 1, sync=True)).value
        assert (await runtime.post_webhook(url, content="one")).status_code == 200
        async with asyncio.timeout(60):
            while "events" not in stored(twist):  # noqa: ASYNC110  it runs though nobody awaits it
                await asyncio.sleep(0.01)
        assert (await runtime.post_webhook(sync, content="two")).json() == 1
        assert stored(twist)["events"] == [["one"], ["two", 1]]

    hooked(work, clock="real")


def test_what_is_asked_of_webhooks_is_a_handle_of_the_runtimes_own() -> None:
    async def main() -> None:
        async with Runtime(seed=1) as one, Runtime(seed=2) as two:
            twist = await one.deploy(methods(HOOKS, head=HEAD))
            await two.deploy(methods(HOOKS, head=HEAD))
            with pytest.raises(ValueError, match="webhooks: this twist is deployed in another runtime"):
                two.webhooks(twist)
            with pytest.raises(TypeError, match=r"webhooks takes a deployed twist.*not 'Sync'"):
                one.webhooks("Sync")  # type: ignore[arg-type]
            await one.aclose()
            with pytest.raises(ValueError, match="webhooks: this twist is deployed in another runtime"):
                two.webhooks(twist)

    asyncio.run(main())
