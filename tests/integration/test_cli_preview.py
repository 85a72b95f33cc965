"""`truthmill preview`: a template as a worker would see it, without a stack."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from threading import Thread

import pytest
import urllib3
from PIL import Image

from labeling_builders import answer_of
from local_stack import COMMAND
from truthmill_cli.preview import Preview, serve

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
 header="Draw" labels="{{ task.input.labels | to_json | escape }}"></crowd-bounding-box></crowd-form>"""


@pytest.fixture
def files(tmp_path):
    """Template and picture."""
    template, picture = tmp_path / "template.html", tmp_path / "cat & dog.png"
    template.write_text(TEMPLATE)
    Image.new("RGB", (200, 100), (9, 9, 9)).save(picture)
    return template, picture


@contextmanager
def running(files, answers, troubles=None):
    def take(answer, problem):
        answers.append((answer, problem))
        return False

    shown = Preview(*files, ("cat", "dog"), take, ([] if troubles is None else troubles).append)
    shown.check()
    with serve(shown) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_page_its_files_and_the_picture_are_served(files):
    with running(files, []) as address:
        page = urllib3.request("GET", address + "/").data.decode()
        assert 'src="/picture"' in page
        assert "assets.crowd.aws" not in page
        for path in [*re.findall(r'(?:src|href)="(/page/[^"]+)"', page), "/preview.js"]:
            assert urllib3.request("GET", address + path).status == 200, path
        assert urllib3.request("GET", address + "/picture").data == files[1].read_bytes()
        assert urllib3.request("GET", address + "/page/../../etc/passwd").status == 404


def test_an_answer_is_looked_at_as_the_portal_would(files):
    answers = []
    with running(files, answers) as address:
        for box, says in [(("cat", 1, 2, 3, 4), "fine"), (("cow", 1, 2, 3, 4), "the job's labels are")]:
            given = answer_of(box)["answer"]
            said = urllib3.request("POST", address + "/answer", json=given).json()["message"]
            assert says in said
            assert answers[-1][0] == given
    assert [bool(problem) for _, problem in answers] == [False, True]


def test_a_change_of_the_file_is_seen_and_an_error_names_its_line(files):
    with running(files, []) as address:
        files[0].write_text("one\n{{ x | nope }}")
        broken = urllib3.request("GET", address + "/")
        assert broken.status == 500
        assert "Line 2, column 8: unknown filter 'nope'." in broken.data.decode()
        files[0].write_text("mended")
        assert "mended" in urllib3.request("GET", address + "/").data.decode()


def test_a_file_that_is_no_text_or_away_for_a_moment_is_told_and_shown_once_it_is_back(files):
    with running(files, []) as address:
        files[0].write_bytes(TEMPLATE.encode("utf-16"))
        assert "utf-8" in urllib3.request("GET", address + "/").data.decode()
        files[0].unlink()
        assert "No such file" in urllib3.request("GET", address + "/").data.decode()
        files[0].write_text(TEMPLATE)
        assert urllib3.request("GET", address + "/").status == 200


@pytest.mark.parametrize("body", ["[" * 5_000, "{", "[1]", "1"])
@pytest.mark.parametrize("path", ["/answer", "/blocked"])
def test_what_is_no_answer_is_refused_and_the_preview_goes_on(files, path, body):
    kind = "application/json" if path == "/answer" else "application/csp-report"
    with running(files, []) as address:
        given = urllib3.request("POST", address + path, body=body, headers={"Content-Type": kind})
        assert given.status == 400 or "The answer is not an object" in given.data.decode()
        assert urllib3.request("GET", address + "/").status == 200


def test_what_a_worker_would_miss_is_told_with_its_place(files):
    files[0].write_text(
        "<!-- <crowd-polygon> -->\n<crowd-form>\n <crowd-keypoint name='k'></crowd-keypoint></crowd-form>"
    )
    troubles = []
    with running(files, [], troubles):
        (trouble,) = troubles
    assert trouble.startswith(f"{files[0]}: Line 3, column 2: <crowd-keypoint> isn't known here")


def test_another_sites_page_is_not_answered(files):
    with running(files, []) as address:
        assert urllib3.request("GET", address + "/", headers={"Host": "evil.example"}).status == 403
        plain = urllib3.request(
            "POST", address + "/answer", body=b"{}", headers={"Content-Type": "text/plain"}
        )
        assert plain.status == 400


def test_the_command_prints_the_address_and_each_answer(files):
    command = [
        COMMAND,
        "preview",
        files[0],
        "--image",
        files[1],
        "--labels",
        "cat,dog",
        "--no-browser",
        "--once",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_COLOR": "1"}
    ) as running_command:
        address = re.search(r"http://127[0-9.:]+/", running_command.stderr.readline())[0]
        given = answer_of(("dog", 1, 2, 3, 4))["answer"]
        said = urllib3.request("POST", address + "answer", json=given).json()["message"]
        assert "The answer is fine" in said
        out, _ = running_command.communicate(timeout=60)
    assert json.loads(out) == given
    assert running_command.returncode == 0


@pytest.mark.parametrize(
    ("template", "picture", "says"),
    [
        ("{{ x | nope }}", None, "Line 1, column 8: unknown filter 'nope'."),
        (TEMPLATE, b"GIF89a", "isn't a JPEG or PNG picture"),
    ],
)
def test_what_cannot_be_shown_ends_at_once_with_its_reason(files, template, picture, says):
    files[0].write_text(template)
    if picture:
        files[1].write_bytes(picture)
    command = [COMMAND, "preview", files[0], "--image", files[1], "--labels", "cat", "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
