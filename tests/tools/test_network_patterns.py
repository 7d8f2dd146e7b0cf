from __future__ import annotations

import posixpath
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plot_nb.tools.network.patterns import Patterns
from plot_nb.tools.network.url import parse_url
from tests.tools.slips import API, SUBDOMAINS, V1

BAD_PATTERNS = [
    "",
    "**",
    "example.com",
    "https://",
    "https://*",
    "https://*.",
    "https://**.example.com",
    "https://a*.example.com",
    "https://a.*.com",
    "https://example.*",
    "*://example.com",
    "https://*.127.0.0.1",
    "https://*.[::1]",
    "https://api.example.com*",
    "https://api.example.com:*",
    "https://api.example.com:70000",
    "https://user@api.example.com",
    "https://api.example.com./",
    "https://api.example.com\\x",
    "https://api.example.com/ x",
    "https://api.example.com/*/items",
    "https://api.example.com/**",
    "https://api.example.com/v1/../*",
    "https://api.example.com/v1/%2e%2e/*",
    "https://api.example.com/v1/.*",
    "https://api.example.com/items?page=*",
    "https://api.example.com/#x",
    "https://0x7f.1",
    "ftp://example.com",
    "file:///*",
]


@pytest.mark.parametrize("pattern", BAD_PATTERNS)
def test_a_bad_pattern_is_named_when_it_is_declared(pattern: str) -> None:
    with pytest.raises(ValueError, match="URL pattern") as caught:
        Patterns(["https://fine.example.com/*", pattern])
    assert repr(pattern) in str(caught.value)


def test_patterns_given_as_one_text_are_refused() -> None:
    with pytest.raises(ValueError, match="list of patterns"):
        Patterns("https://api.example.com/*")


def test_one_of_several_patterns_is_enough() -> None:
    patterns = Patterns([V1, SUBDOMAINS])
    assert patterns.allows("https://other.example.com/x")
    assert patterns.texts == (V1, SUBDOMAINS)


def test_no_pattern_allows_nothing() -> None:
    with pytest.raises(PermissionError, match="declares none"):
        Patterns(()).check("https://api.example.com/")


@pytest.mark.rule("9.1")
def test_a_refusal_names_the_url_and_the_patterns() -> None:
    with pytest.raises(PermissionError) as caught:
        Patterns([API, SUBDOMAINS]).check("https://evil.example/x")
    assert "https://evil.example/x" in str(caught.value)
    assert API in str(caught.value)
    assert SUBDOMAINS in str(caught.value)


def test_a_refusal_says_what_is_wrong_with_the_spelling() -> None:
    with pytest.raises(PermissionError, match="backslash"):
        Patterns([API]).check("https://api.example.com\\x")


def test_a_refusal_shows_a_hostile_url_short_and_escaped() -> None:
    with pytest.raises(PermissionError) as caught:
        Patterns([API]).check("https://api.example.com/\x1b[31m" + "x" * 5000)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("HTTPS://Example.COM:443", "https://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com/a/./b/../c?q=1#f", "https://example.com/a/c?q=1"),
        ("https://example.com/%7Euser/%2f", "https://example.com/~user/%2F"),
        ("https://example.com/..", "https://example.com/"),
        ("https://example.com/ü?ü", "https://example.com/%C3%BC?%C3%BC"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com?", "https://example.com/?"),
        ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
    ],
)
def test_an_allowed_url_comes_back_in_one_spelling(text: str, spelled: str) -> None:
    assert str(Patterns(["*"]).check(text)) == spelled


URL_TEXTS = st.text(st.sampled_from("abz019-._~!$&'()*+,;=:@/%?#[]\"<>^`{|}üß中 \\"), max_size=30)


@given(URL_TEXTS)
def test_what_is_compared_is_what_is_sent(tail: str) -> None:
    try:
        url = parse_url("https://api.example.com/" + tail)
    except ValueError:
        return
    sent = httpx.URL(str(url))
    assert parse_url(str(url)) == url
    assert (sent.raw_host, sent.raw_path) == (url.host.encode(), url.target.encode())


TRAVERSALS = st.lists(
    st.sampled_from(["/", "a", ".", "..", "%2e", "%2F", "%5c", "%25", "%252e", "2f", "v1", ";x"]), max_size=12
).map("".join)


@pytest.mark.rule("9.7", "9.8")
@given(TRAVERSALS)
def test_what_a_prefix_allows_is_below_it_however_often_a_reader_decodes(tail: str) -> None:
    url = "https://api.example.com/v1/" + tail
    if not Patterns([V1]).allows(url):
        return
    path = parse_url(url).path
    for _ in range(5):
        assert (posixpath.normpath(path.replace("\\", "/")) + "/").startswith("/v1/")
        path = unquote(path)


@given(URL_TEXTS)
def test_a_url_that_a_pattern_allows_leads_to_its_host(tail: str) -> None:
    url = "https://api.example.com" + tail
    if Patterns([API]).allows(url):
        assert httpx.URL(url).raw_host == b"api.example.com"
