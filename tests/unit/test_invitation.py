"""The invitation's text, and where it sends people."""

from html.parser import HTMLParser

import pytest

from adapters.addresses import for_browsers
from labeling.invitation import handler
from truthmill.invitation import PASSWORD_LINE, is_address, message

URL = "https://abc123.lambda-url.eu-west-1.on.aws/"


def tags(html):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda name, attrs: found.append((name, dict(attrs)))
    parser.feed(html)
    return found


def test_it_names_the_address_the_user_name_and_the_password():
    text = message(URL, "Cats and dogs for the shelter")
    assert ("a", {"href": URL}) in tags(text)
    assert "User name: {username}<br>" in text
    assert text.count(PASSWORD_LINE) == 1
    assert "<p>Cats and dogs for the shelter</p>" in text


def test_what_it_is_about_is_text_and_no_placeholder():
    hostile = '<img src=x onerror=alert(1)> "{####}" {username}'
    text = message(URL, hostile)
    assert [name for name, _ in tags(text)] == [name for name, _ in tags(message(URL, "plain"))]
    assert text.count("{####}") == text.count("{username}") == 1
    assert "&lt;img src=x onerror=alert(1)&gt; &quot;&#123;####&#125;&quot;" in text


def test_it_greets_by_a_name_that_is_text():
    assert message(URL, "", "Ann").startswith("<p>Ann,</p><p>You are")
    assert message(URL, "", "<i>{####}").startswith("<p>&lt;i&gt;&#123;####&#125;,</p>")
    assert message(URL, "", "  ") == message(URL)


@pytest.mark.parametrize("given", ["a@b.co", "first.last+tag@mail.example.com", "ü@bücher.example"])
def test_an_address(given):
    assert is_address(given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a",
        "a@b",
        "@b.co",
        "a@@b.co",
        "a@b.co ",
        "a@b..co",
        "a@.co",
        "a,b@c.de",
        "a@b.co\n",
        f"{'a' * 65}@b.co",
    ],
)
def test_no_address(given):
    assert not is_address(given)


def test_other_mails_stay_as_the_pool_has_them():
    event = {
        "triggerSource": "CustomMessage_ForgotPassword",
        "request": {},
        "response": {"emailMessage": None},
    }
    assert handler(event, None) is event
    assert event["response"] == {"emailMessage": None}


def test_on_the_local_engine_a_browser_has_an_address_of_its_own():
    assert for_browsers(URL, "") == URL
    assert for_browsers(URL, "http://127.0.0.1:4566") == "http://abc123.lambda-url.eu-west-1.localhost:4566/"
    own = "https://label.example.com/"
    assert for_browsers(own, "http://127.0.0.1:4566") == own
