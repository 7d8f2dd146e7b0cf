"""Webhooks by the thousand. Figures are printed; the last ones are in docs/proofs.md."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from tests.runtime.test_serving import NOTED, at, killed_while_posting, post
from tests.runtime.test_webhooks import HEAD, stored
from tests.runtime.twists import methods, on_runtime

pytestmark = pytest.mark.prove


@pytest.mark.rule("9.31")
def test_two_thousand_posts_at_once_are_accepted_and_run() -> None:
    async def work(runtime: Runtime) -> None:
        twist: Any = await runtime.deploy(methods(NOTED, head=HEAD))
        url = (await twist.hook("noted")).value
        await runtime.post_webhook(url, content="first")
        await runtime.run_until_idle()
        began = time.perf_counter()
        async with await runtime.serve_webhooks() as server:
            target = at(server, url)
            answers = await asyncio.gather(*(post(target, str(number)) for number in range(2000)))
            accepted = time.perf_counter() - began
        taken = time.perf_counter() - began
        assert set(answers) == {200}
        assert set(stored(twist)) == {f"noted:{number}" for number in ("first", *range(2000))}
        print(f"\n2,000 posts at once: accepted in {accepted:.1f} s, all of them had run after {taken:.1f} s")

    on_runtime(work)


@pytest.mark.rule("9.32")
def test_a_server_killed_among_two_thousand_posts_loses_none_that_it_accepted(tmp_path: Path) -> None:
    sent, accepted, ran = killed_while_posting(tmp_path / "state.db", posts=2000, kills=3)
    print(f"\n3 kills among {sent:,} posts: {accepted:,} were accepted, each of them ran ({ran:,} in all)")
