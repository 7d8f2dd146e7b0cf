"""docs/runtime.md, section 9: what a fetch reaches, and what is kept of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Limits, Runtime
from plot_nb.tools.network import Fetcher, FetchRequest, Patterns
from tests.runtime.twists import line_of, methods, on_runtime

ORIGIN = "https://api.example.com"
NETWORK = """
def build(self, build):
    return {"network": build(Network, urls=["https://api.example.com/v1/*"])}
"""


class App:
    """An ASGI app that keeps what it was asked; `/v1/moved` leads on, as often as its query says."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        left = int(scope["query_string"] or 0)
        headers = [(b"location", b"/v1/moved?%d" % (left - 1))] if left else []
        await send({"type": "http.response.start", "status": 302 if left else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"here"})


def fetching(body: str, *args: Any, **settings: Any) -> tuple[Any, App]:
    app = App()

    async def work(runtime: Runtime) -> Any:
        runtime.mount(ORIGIN, app)
        return await (await runtime.deploy(methods(NETWORK + body))).go(*args)

    return on_runtime(work, **settings), app


@pytest.mark.rule("9.1", "9.17")
@pytest.mark.parametrize(
    "url", ["https://api.example.com/v2/x", "https://other.example.com/v1/x", "http://10.0.0.1/"]
)
def test_what_no_pattern_declares_is_refused_by_name_and_not_sent(url: str) -> None:
    body = """
async def go(self, url):
    await fetch(url)
"""

    async def work(runtime: Runtime) -> tuple[Any, App]:
        app = App()
        runtime.mount(ORIGIN, app)
        run = await (await runtime.deploy(methods(NETWORK + body))).go(url)
        return (run.error, run.line), app

    (error, line), app = on_runtime(work)
    assert error.startswith("PermissionError")
    assert url in error
    assert "https://api.example.com/v1/*" in error
    assert line == line_of(methods(NETWORK + body), "await fetch(")
    assert app.asked == []


@pytest.mark.rule("3.5")
@pytest.mark.parametrize("redirects", [0, 1, 3])
def test_a_fetch_costs_one_and_one_more_for_each_redirect(redirects: int) -> None:
    body = """
async def go(self, redirects):
    answer = await fetch(f"https://api.example.com/v1/moved?{redirects}")
    return [answer.status, answer.url]
"""
    app = App()

    async def work(runtime: Runtime) -> tuple[Any, list[int]]:
        runtime.mount(ORIGIN, app)
        run = await (await runtime.deploy(methods(NETWORK + body))).go(redirects)
        return run.value, run.executions["requests"].tolist()

    assert on_runtime(work) == ([200, "https://api.example.com/v1/moved?0"], [1 + redirects])
    assert len(app.asked) == 1 + redirects


@pytest.mark.rule("3.5", "3.10")
def test_a_redirect_that_the_budget_does_not_hold_is_not_followed() -> None:
    body = """
async def go(self):
    await fetch("https://api.example.com/v1/moved?5")
"""
    app = App()

    async def work(runtime: Runtime) -> tuple[Any, list[int]]:
        runtime.mount(ORIGIN, app)
        run = await (await runtime.deploy(methods(NETWORK + body))).go()
        return run.outcome, run.executions["requests"].tolist()

    assert on_runtime(work, limits=Limits(requests=3)) == ("over_requests", [3])
    assert len(app.asked) == 3


@pytest.mark.rule("9.16")
def test_a_mounted_origin_is_never_resolved() -> None:
    resolved: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        resolved.append(host)
        return []

    async def performed() -> int:
        fetcher = Fetcher(resolve=resolve)
        fetcher.mount(ORIGIN, App())
        try:
            answer = await fetcher.fetch(FetchRequest(f"{ORIGIN}/v1/x"), Patterns(["*"]), lambda _: None)
            with pytest.raises(ConnectionError):
                await fetcher.fetch(
                    FetchRequest("https://other.example.com/"), Patterns(["*"]), lambda _: None
                )
            return answer.status
        finally:
            await fetcher.aclose()

    assert (asyncio.run(performed()), resolved) == (200, ["other.example.com"])


@pytest.mark.rule("9.19")
def test_an_authorization_header_is_nowhere_in_the_state_file(tmp_path: Path) -> None:
    body = """
async def go(self):
    secret = "".join(reversed("emases-nepo"))
    headers = {"Authorization": f"Bearer {secret}", "Cookie": secret}
    await fetch("https://api.example.com/v1/x", headers=headers)
    await fetch("https://elsewhere.example.com/", headers=headers)
"""

    async def main() -> None:
        async with Runtime(tmp_path / "state.db", seed=1) as runtime:
            runtime.mount(ORIGIN, App())
            run = await (await runtime.deploy(methods(NETWORK + body))).go()
            assert run.outcome == "error"
            assert len(run.requests) == 2
            assert "open-sesame" not in str(run._repr_mimebundle_())

    asyncio.run(main())
    kept = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(b"api.example.com/v1/x" in each for each in kept)
    assert not any(b"open-sesame" in each for each in kept)


@pytest.mark.rule("9.35")
def test_no_execution_adds_a_pattern_and_an_upgrade_changes_them() -> None:
    body = """
async def go(self):
    self.tools.network.urls = ["*"]
    Network(self, urls=["*"])
    try:
        return (await fetch("https://api.example.com/v2/x")).status
    except PermissionError as error:
        return type(error).__name__
"""

    async def work(runtime: Runtime) -> list[Any]:
        runtime.mount(ORIGIN, App())
        source = methods(NETWORK + body)
        before = [(await (await runtime.deploy(source)).go()).value for _ in range(2)]
        return [*before, (await (await runtime.deploy(source.replace("/v1/*", "/v2/*"))).go()).value]

    assert on_runtime(work) == ["PermissionError", "PermissionError", 200]


@pytest.mark.rule("9.18")
def test_a_fetch_over_its_timeout_raises_a_timeout_error() -> None:
    body = """
async def go(self):
    began = now()
    try:
        await fetch("https://api.example.com/v1/x", timeout=2)
    except TimeoutError:
        return (now() - began).total_seconds()
"""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-latency-ms", b"2500")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def work(runtime: Runtime) -> Any:
        runtime.mount(ORIGIN, slow)
        return (await (await runtime.deploy(methods(NETWORK + body))).go()).value

    assert on_runtime(work) == 2


@pytest.mark.rule("9.11")
@pytest.mark.parametrize(("allowed", "error"), [(False, "PermissionError"), (True, "ConnectionError")])
def test_a_private_address_is_refused_unless_the_runtime_allows_it(allowed: bool, error: str) -> None:
    body = """
def build(self, build):
    return {"network": build(Network, urls=["*"])}
async def go(self):
    await fetch("http://127.0.0.1:9/")
"""

    async def work(runtime: Runtime) -> str:
        return str((await (await runtime.deploy(methods(body))).go()).error)

    assert on_runtime(work, allow_private=allowed).startswith(error)
