"""What a webhook's method gets, and how a twist asks for a webhook."""

from __future__ import annotations

from typing import Any

import pytest

from plot_nb.twist import WebhookRequest, superjson
from plot_nb.twist.webhook import WebhookHeaders
from tests.sandbox.host import Host
from tests.sandbox.test_requests import twist
from tests.twist.test_api import operations

BUILD = "\n    def build(self, build): return {'net': build(Network)}"

POST: dict[str, Any] = {
    "method": "POST",
    "headers": {"content-type": "application/json", "X-Id": "7"},
    "params": {"a": "1"},
    "raw_body": '{"n": [1]}',
}


@pytest.mark.rule("9.26")
def test_headers_are_found_in_any_case_and_stored_as_a_dict() -> None:
    headers = WebhookHeaders(POST["headers"])
    assert headers == {"content-type": "application/json", "x-id": "7"}
    assert (headers["X-ID"], headers.get("x-Id"), headers.get("none"), headers.get("none", "-")) == (
        "7",
        "7",
        None,
        "-",
    )
    assert "Content-Type" in headers
    assert "content" not in headers
    stored = superjson.loads(superjson.dumps({"headers": headers}))
    assert stored == {"headers": {"content-type": "application/json", "x-id": "7"}}


@pytest.mark.rule("9.27")
@pytest.mark.parametrize(
    ("raw", "body"),
    [
        ("", None),
        ('{"a": [1]}', {"a": [1]}),
        ("5", 5),
        ("null", None),
        ("text", "text"),
        ("NaN", "NaN"),
        ("[" * 100_000, "[" * 100_000),
        ("a=1&b=2", "a=1&b=2"),
        ('{"a": 1', '{"a": 1'),
        ('"\udc80"', "\udc80"),
    ],
    ids=["empty", "object", "number", "null", "text", "NaN", "deep", "form", "cut", "no text"],
)
def test_a_body_is_parsed_where_it_is_json(raw: str, body: object) -> None:
    request = WebhookRequest("POST", {}, {}, raw)
    assert (request.body, request.raw_body) == (body, raw)


@pytest.mark.rule("6.5", "9.26", "9.27", "9.29")
def test_the_method_gets_the_request_first_then_its_own_arguments(host: Host) -> None:
    body = """
        request, *extra = args
        assert isinstance(request, WebhookRequest)
        await self.set("headers", request.headers)
        return [request.method, request.headers["x-ID"], request.params, request.body, request.raw_body, extra]
    """
    source = twist(body)
    done = host.run(source, "go", POST, "extra", event={"cause": "webhook"})
    assert done.value == ["POST", "7", {"a": "1"}, {"n": [1]}, '{"n": [1]}', ["extra"]]
    assert superjson.loads(done.store["headers"])["x-id"] == "7"


def test_other_events_bring_their_arguments_as_they_are(host: Host) -> None:
    source = twist("return type(args[0]).__name__")
    assert host.run(source, "go", POST, event={"cause": "task"}).value == "dict"


@pytest.mark.rule("9.20", "9.29", "9.30")
def test_a_webhook_is_made_for_a_method_and_ended_by_its_url(host: Host) -> None:
    body = """
        await self.tools.net.create_webhook(self.go, {1, 2})
        await self.tools.net.create_webhook("go", sync=True)
        await self.tools.net.delete_webhook("https://h/wh_1")
        await self.tools.net.delete_webhook(Url("https://h/wh_2"))
    """
    done = host.run(twist(body) + BUILD)
    assert done.payload["ok"]
    assert operations(done) == [
        ["network.create_webhook", ["go", superjson.dumps([{1, 2}]), False]],
        ["network.create_webhook", ["go", '{"json":[]}', True]],
        ["network.delete_webhook", ["https://h/wh_1"]],
        ["network.delete_webhook", ["https://h/wh_2"]],
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("create_webhook(lambda request: None)", "TypeError: a webhook stands for a method"),
        ("create_webhook('none')", "ValueError: T has no method 'none'"),
        ("create_webhook('build')", "cannot be run by a webhook"),
        ("create_webhook(self.go, print)", "TypeError"),
        ("delete_webhook(5)", "TypeError: a webhook is ended by its URL"),
        ("delete_webhook(self.tools.net.create_webhook(self.go))", "not Request"),
    ],
)
def test_what_no_webhook_can_be_made_of_is_an_error_at_the_call(host: Host, call: str, message: str) -> None:
    done = host.run(twist(f"self.tools.net.{call}") + BUILD)
    assert message in f"{done.error['type']}: {done.error['message']}"
    assert not done.crossings
