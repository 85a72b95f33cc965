"""WebRTC goes past a page's policy: a template must not get at it, nor write a frame that has it anew."""

import socket
from contextlib import contextmanager

import pytest

from browser.conftest import a_picture
from browser.sandbox import ORIGIN, Site
from browser.test_templates import ELEMENT

# INSIDE: a document that asks a STUN server. FRAME: a frame with it, NAME: its attribute. CONNECT: that.
WAYS = {
    "at once": "CONNECT",
    "a property": "const f = document.createElement('iframe'); f[NAME] = INSIDE; document.body.append(f);",
    "an attribute": "const f = document.createElement('iframe'); f.setAttribute('SRC' + 'DOC', INSIDE);"
    "document.body.append(f);",
    "an attribute's node": """const f = document.createElement('iframe'); document.body.append(f);
      const a = document.createAttribute(NAME); f.setAttributeNode(a); a.value = INSIDE;""",
    "another element's attribute": """const d = document.createElement('div'); d.setAttribute(NAME, INSIDE);
      const a = d.getAttributeNode(NAME); d.removeAttributeNode(a);
      const f = document.createElement('iframe'); f.setAttributeNode(a); document.body.append(f);""",
    "HTML": "const d = document.createElement('div'); d.innerHTML = FRAME; document.body.append(d);",
    "a fragment": "document.body.append(document.createRange().createContextualFragment(FRAME));",
    "another document": "const d = document.implementation.createHTMLDocument(''); d.body.innerHTML = FRAME;"
    "document.body.append(d.body.firstChild);",
    "a parser": "document.body.append(new DOMParser().parseFromString(FRAME, 'text/html').body.firstChild);",
    "writing": "document.write(FRAME);",
    "writing letter by letter": "for (const letter of FRAME) document.write(letter);",
    "writing a document letter by letter": """document.open();
      for (const letter of FRAME) document.write(letter); document.close();""",
    "methods of the template's own": "String.prototype.includes = () => false;"
    "String.prototype.toLowerCase = () => ''; Function.prototype.call = () => '';"
    "const f = document.createElement('iframe'); f[NAME] = INSIDE; document.body.append(f);",
    "a policy of its own": "const p = trustedTypes.createPolicy('default', { createHTML: (html) => html });"
    "const f = document.createElement('iframe'); f[NAME] = p.createHTML(INSIDE); document.body.append(f);",
}
WRITTEN = {
    "in the template": "<iframe srcdoc='<script>CALL</script>'></iframe>",
    "in the template, in other letters": "<iframe SRCdoc='<script>CALL</script>'></iframe>",
    "half by a script": "<script>document.write('<iframe sr')</script>cdoc='<script>CALL</script>'></iframe>",
    "less by a script": "<script>document.write('<ifr')</script>ame srcdoc='<script>CALL</script>'></iframe>",
}


@contextmanager
def stun_server():
    """A port of this machine's, and whether anybody asked there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)

        def heard():
            try:
                return bool(server.recv(2_000))
            except BlockingIOError:
                return False

        yield server.getsockname()[1], heard


def call(port):
    return (
        f"const c = new RTCPeerConnection({{ iceServers: [{{ urls: `stun:127.0.0.1:{port}` }}] }});"
        "c.createDataChannel(`x`); c.createOffer().then((o) => c.setLocalDescription(o));"
    )


def scripted(way, port):
    inside = f"'<scr' + 'ipt>{call(port)}</scr' + 'ipt>'"
    given = f"const NAME = 'src' + 'doc', INSIDE = {inside};"
    given += """const FRAME = '<iframe ' + NAME + '="' + INSIDE + '"></iframe>';"""
    return f"<script>{given}{WAYS[way].replace('CONNECT', call(port))}</script>"


@pytest.fixture
def shown(chromium):
    """Whether a STUN server hears of a page's template, in the portal's sandbox or without it."""
    contexts = []

    def show(template, *, guarded):
        with stun_server() as (port, heard):
            context = chromium.new_context()
            contexts.append(context)
            site = Site()
            site.pictures["/picture.png"] = a_picture()
            site.put_task(f"<crowd-form>{ELEMENT}</crowd-form>{template(port)}", ("cat",))
            if not guarded:
                html, kind, _ = site.answers["/task"]
                bare = html.replace("Reflect.deleteProperty", "void").replace("srcdocNotShown", "srcdoc")
                site.answers["/task"] = (bare, kind, {"content-security-policy": "sandbox allow-scripts"})
            site.put_parent({"labels": ["cat"], "label": ""})
            context.route("**/*", site.serve)
            page = context.new_page()
            page.goto(ORIGIN)
            page.wait_for_timeout(700)
            return heard()

    yield show
    for context in contexts:
        context.close()


@pytest.mark.parametrize("way", WAYS)
def test_no_script_of_a_template_gets_at_webrtc(shown, way):
    assert not shown(lambda port: scripted(way, port), guarded=True)


@pytest.mark.parametrize("way", WRITTEN)
def test_no_frame_that_is_written_into_a_page_gets_at_it(shown, way):
    assert not shown(lambda port: WRITTEN[way].replace("CALL", call(port)), guarded=True)


@pytest.mark.parametrize("way", ["at once", "HTML", "writing letter by letter"])
def test_the_server_would_hear_of_it_without_the_sandbox(shown, way):
    assert shown(lambda port: scripted(way, port), guarded=False)
