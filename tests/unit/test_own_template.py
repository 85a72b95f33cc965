"""A worker template of the user's own, from the bucket."""

import pytest
from obstore.store import MemoryStore

from adapters.storage import Storage
from pipeline.create_labeling_job import worker_template
from truthmill.errors import RequestError
from truthmill.request_reading import parse
from truthmill.run import Job

JOB = Job(name="pets-1", number=0, objects=1)
PAGE = "<crowd-form>\r\n{{ task.input.taskObject | grant_read_access }}</crowd-form>"


def read(template):
    store = Storage(MemoryStore(), "bucket")
    store.write("own.html", template)
    asked = {
        "source": "s3://bucket/x.zip",
        "labels": ["cat"],
        "labeling": {"template": "s3://bucket/own.html"},
    }
    return worker_template(parse(asked, {}, {}), JOB, store, own_service=True)


def test_it_is_taken_as_it_is():
    assert read(PAGE.encode()) == PAGE


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (PAGE.encode("utf-16"), "s3://bucket/own.html isn't UTF-8 text: .* Save it as UTF-8."),
        (b"<crowd-form>{{ 1 | nope }}", "s3://bucket/own.html isn't a Liquid template. Line 1, column 20"),
        (b"<p>Look", "s3://bucket/own.html has no <crowd-form>"),
    ],
)
def test_what_workers_could_not_answer_with_is_an_error_of_the_request(template, says):
    with pytest.raises(RequestError, match=says):
        read(template)
