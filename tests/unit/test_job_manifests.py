"""The input manifests of a round's labeling jobs: every picture is in one of them, and in no other."""

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from adapters.storage import Storage
from pipeline.job_manifests import JobManifests
from truthmill.layout import RunLayout
from truthmill.request_reading import parse

AT = RunLayout("pets", "r")
ASKED = parse({"source": "s3://bucket/pets.zip", "labels": ["cat", "dog", "hen"]}, {}, {})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 12), st.integers(0, 3))
def test_no_picture_is_in_two_jobs_and_none_in_no_job(firsts, most, earlier):
    """firsts: of each picture the first label that it is asked for. Jobs are as even as can be."""
    store = Storage(MemoryStore(), "bucket")
    manifests = JobManifests(store, AT, ASKED, "label", Counter(firsts), earlier, most)
    for number, first in enumerate(firsts):
        manifests.add(first, b'{"source-ref":"s3://bucket/%d.png"}\n' % number)
    jobs = manifests.jobs()
    assert [job.number for job in jobs] == list(range(earlier, earlier + len(jobs)))
    assert len({job.name for job in jobs}) == len(jobs)
    seen = {}
    for job in jobs:
        lines = store.read(AT.labeling_manifest(job.number)).splitlines()
        assert len(lines) == job.objects <= most
        for line in lines:
            picture = int(msgspec.json.decode(line)["source-ref"][12:-4])
            assert seen.setdefault(picture, job.number) == job.number
            assert firsts[picture] == job.first_label
    assert sorted(seen) == list(range(len(firsts)))
    assert sum(job.objects for job in jobs) == len(firsts)
    for first, total in Counter(firsts).items():
        sizes = [job.objects for job in jobs if job.first_label == first]
        assert len(sizes) == -(-total // most)
        assert max(sizes) - min(sizes) <= 1
