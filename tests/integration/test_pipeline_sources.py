"""Sources that change while a run is under way, come again, or have keys that few tools can read."""

import pytest

from builders import archive, picture
from pipeline.source import MAX_LOOSE, MAX_SETTINGS
from truthmill.errors import NoPicturesError, RequestError, SourceError

KEY, PREFIX = "incoming/pets.zip", "incoming/cam/"


def pets(*numbers: int) -> bytes:
    return archive({f"{number}.jpg": picture(number) for number in numbers})


def loose(cloud, *names: str) -> None:
    for number, name in enumerate(names):
        cloud.put(PREFIX + name, picture(400 + number))


def names(run) -> set[str]:
    """Of the pictures that are kept."""
    lines = run.cloud.lines(run.state["place"])
    return {placed["entry"]["name"] for line in lines for placed in line["pictures"]}


def damaged(whole: bytes) -> bytes:
    """With another byte in the second entry's data."""
    at = whole.index(b"PK\x03\x04", 1) + 200
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def put_in_parts(cloud, key: str, content: bytes) -> None:
    """The same bytes under another ETag."""
    given = {"Bucket": cloud.bucket, "Key": key}
    upload = cloud.s3.create_multipart_upload(**given)["UploadId"]
    tag = cloud.s3.upload_part(**given, UploadId=upload, PartNumber=1, Body=content)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    cloud.s3.complete_multipart_upload(**given, UploadId=upload, MultipartUpload=parts)


def test_an_archive_that_is_gone_meanwhile_is_named(cloud):
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY)
    run.prepare()
    cloud.delete(KEY)
    with pytest.raises(SourceError, match=rf"{KEY}: what was there when the run began is gone"):
        run.inspect()


@pytest.mark.parametrize("other", [range(1, 6), range(7)], ids=["other pictures", "more pictures"])
def test_an_archive_that_is_replaced_meanwhile_is_not_read_by_the_directory_of_the_first(cloud, other):
    """Its entries would be rejected for what isn't wrong with them, or some of them taken for all."""
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY)
    run.prepare()
    cloud.put(KEY, pets(*other))
    with pytest.raises(SourceError, match="was replaced while the run was under way"):
        run.inspect()
    assert not [key for key in cloud.keys(run.prefix + "inspected/") if not key.endswith("prepare.jsonl")]
    cloud.put(KEY, pets(*range(5)))
    run.inspect()
    run.split()
    assert len(names(run)) == 5


def test_an_archive_that_is_replaced_before_its_pictures_are_placed_ends_the_run(cloud):
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY).to_split()
    cloud.put(KEY, pets(*range(7)))
    with pytest.raises(SourceError, match="was replaced while the run was under way"):
        run.place()


def test_an_archive_that_comes_damaged_before_its_pictures_are_placed_ends_the_run_until_it_is_whole(cloud):
    """Its directory is the same; that an entry can't be unpacked any more is the archive's fault."""
    whole = pets(*range(5))
    cloud.put(KEY, whole)
    run = cloud.start(KEY).to_split()
    cloud.put(KEY, damaged(whole))
    with pytest.raises(SourceError, match=r"1\.jpg could be read before and can't now \(damaged-entry"):
        run.place()
    cloud.put(KEY, whole)
    run.place()
    run.plan()
    assert run.rejected == {}
    assert run.jobs[0]["objects"] == 5


def test_an_archive_that_is_gone_before_its_pictures_are_placed_ends_the_run_until_it_is_there(cloud):
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY).to_split()
    cloud.delete(KEY)
    with pytest.raises(SourceError, match="what was there when the run began is gone"):
        run.place()
    cloud.put(KEY, pets(*range(5)))
    run.place()
    run.plan()
    assert run.jobs[0]["objects"] == 5


def test_an_archive_whose_bytes_come_again_under_another_etag_is_the_same(cloud):
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY)
    run.prepare()
    before = cloud.s3.head_object(Bucket=cloud.bucket, Key=KEY)["ETag"]
    put_in_parts(cloud, KEY, pets(*range(5)))
    assert cloud.s3.head_object(Bucket=cloud.bucket, Key=KEY)["ETag"] != before
    run.inspect()
    run.split()
    cloud.put(KEY, pets(*range(5)))
    run.place()
    assert len(names(run)) == 5
    assert run.rejected == {}


def test_an_archive_that_is_replaced_while_its_directory_is_read_is_named(cloud, store):
    from pipeline.source import open_source

    cloud.put(KEY, pets(*range(5)))
    source = open_source(store.uri(KEY), lambda _bucket: store)
    cloud.put(KEY, pets(*range(7)))
    with pytest.raises(SourceError, match="was replaced or removed while it was read"):
        _ = source.digest


def test_a_whole_copy_of_an_archive_that_came_damaged_is_a_run_of_its_own(cloud):
    """Its directory is that of the damaged one, and so would be the run's name."""
    whole = pets(*range(6))
    cloud.put(KEY, damaged(whole))
    first = cloud.start(KEY).to_the_end()
    assert first.rejected == {"1.jpg": "damaged-entry"}
    cloud.put(KEY, whole)
    second = cloud.start(KEY).to_the_end()
    assert names(second) == {"1.jpg"}
    assert second.counts["known"] == 5
    assert cloud.start(KEY).prepare() == "exists"
    cloud.put(KEY, damaged(whole))
    assert cloud.start(KEY).prepare() == "exists"


def test_a_whole_copy_that_comes_while_the_damaged_one_is_under_way_is_a_run_of_its_own(cloud):
    whole = pets(*range(6))
    cloud.put(KEY, damaged(whole))
    first = cloud.start(KEY)
    first.prepare()
    first.inspect()
    cloud.put(KEY, whole)
    second = cloud.start(KEY).to_split()
    assert second.run["run"] != first.run["run"]
    assert names(second) == {f"{number}.jpg" for number in range(6)}


def test_a_copy_under_another_etag_while_the_first_is_under_way_is_the_same_run(cloud):
    cloud.put(KEY, pets(*range(6)))
    first = cloud.start(KEY)
    first.prepare()
    first.inspect()
    put_in_parts(cloud, KEY, pets(*range(6)))
    assert cloud.start(KEY).prepare() == "exists"


def test_a_loose_picture_that_is_gone_meanwhile_takes_no_other_with_it(cloud):
    loose(cloud, "0.jpg", "1.jpg", "2.jpg", "3.jpg")
    run = cloud.start(PREFIX)
    run.prepare()
    cloud.delete(PREFIX + "1.jpg")
    run.inspect()
    run.split()
    assert run.rejected == {"1.jpg": "missing"}
    assert names(run) == {"0.jpg", "2.jpg", "3.jpg"}


def test_a_loose_picture_that_was_gone_and_comes_again_is_new_to_the_next_sweep(cloud):
    """Its key, size and ETag are those that the sweep before had listed."""
    loose(cloud, "0.jpg", "1.jpg", "2.jpg", "3.jpg")
    first = cloud.start(PREFIX, trigger="schedule")
    first.prepare()
    cloud.delete(PREFIX + "1.jpg")
    first.inspect()
    first.split()
    first.place()
    first.on_to_the_end()
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"
    loose(cloud, "0.jpg", "1.jpg")
    second = cloud.start(PREFIX, trigger="schedule").to_the_end()
    assert names(second) == {"1.jpg"}
    assert second.counts["inputs"] == 1
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"


def test_a_loose_picture_that_has_to_be_restored_first_is_rejected_by_name(cloud):
    """As a lifecycle rule of the bucket's moves it."""
    loose(cloud, "0.jpg", "1.jpg", "2.jpg")
    cold = {"Bucket": cloud.bucket, "Key": PREFIX + "cold.jpg", "StorageClass": "GLACIER"}
    cloud.s3.put_object(**cold, Body=picture(9))
    run = cloud.start(PREFIX, trigger="schedule").to_the_end()
    assert run.rejected == {"cold.jpg": "cold-storage"}
    assert names(run) == {"0.jpg", "1.jpg", "2.jpg"}
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"


def test_a_picture_that_was_restored_is_looked_at_by_a_run_that_somebody_starts(cloud):
    """The prefix is listed as before, so that the run would be the one that is done."""
    loose(cloud, "0.jpg", "1.jpg", "2.jpg")
    cold = {"Bucket": cloud.bucket, "Key": PREFIX + "cold.jpg", "Body": picture(9)}
    cloud.s3.put_object(**cold, StorageClass="GLACIER")
    first = cloud.start(PREFIX, trigger="schedule").to_the_end()
    cloud.s3.put_object(**cold)
    second = cloud.start(PREFIX).to_the_end()
    assert second.run["run"] != first.run["run"]
    assert names(second) == {"cold.jpg"}
    assert (second.counts["known"], second.counts["labeled"]) == (3, 1)
    assert cloud.start(PREFIX).prepare() == "exists"


def test_a_loose_picture_that_was_gone_and_comes_again_is_looked_at_by_a_run_that_somebody_starts(cloud):
    loose(cloud, "0.jpg", "1.jpg", "2.jpg", "3.jpg")
    first = cloud.start(PREFIX)
    first.prepare()
    cloud.delete(PREFIX + "3.jpg")
    first.inspect()
    first.split()
    first.place()
    first.plan()
    loose(cloud, "0.jpg", "1.jpg", "2.jpg", "3.jpg")
    assert cloud.start(PREFIX).prepare() == "exists"
    for job in first.create_jobs():
        cloud.label(job)
    first.build()
    first.notify()
    second = cloud.start(PREFIX).to_the_end()
    assert names(second) == {"3.jpg"}
    assert cloud.start(PREFIX).prepare() == "exists"


@pytest.mark.parametrize("late", [False, True], ids=["before it is inspected", "before it is placed"])
def test_the_only_picture_of_a_sweep_may_be_gone_and_come_again(cloud, late):
    loose(cloud, "0.jpg")
    first = cloud.start(PREFIX, trigger="schedule", split={"onDegenerate": "continue"})
    first.prepare()
    if late:
        first.inspect()
        first.split()
    cloud.delete(PREFIX + "0.jpg")
    first.inspect()
    if late:
        first.place()
    with pytest.raises(NoPicturesError):
        (first.plan if late else first.split)()
    first.fail("NoPicturesError")
    loose(cloud, "0.jpg")
    second = cloud.start(PREFIX, trigger="schedule", split={"onDegenerate": "continue"}).to_the_end()
    assert second.counts["labeled"] == 1


def test_an_archive_that_has_to_be_restored_first_is_named(cloud):
    cold = {"Bucket": cloud.bucket, "Key": KEY, "StorageClass": "DEEP_ARCHIVE"}
    cloud.s3.put_object(**cold, Body=pets(*range(5)))
    with pytest.raises(SourceError, match="has to be restored before it can be read"):
        cloud.start(KEY).prepare()


def test_an_archive_that_is_moved_to_cold_storage_meanwhile_is_named(cloud):
    cloud.put(KEY, pets(*range(5)))
    run = cloud.start(KEY)
    run.prepare()
    cold = {"Bucket": cloud.bucket, "Key": KEY, "StorageClass": "GLACIER"}
    cloud.s3.put_object(**cold, Body=pets(*range(5)))
    with pytest.raises(SourceError, match="has to be restored before it can be read"):
        run.inspect()


def test_a_loose_object_that_has_grown_meanwhile_is_not_read(cloud):
    loose(cloud, "0.jpg", "1.jpg", "2.jpg")
    run = cloud.start(PREFIX)
    run.prepare()
    cloud.put(PREFIX + "1.jpg", bytes(MAX_LOOSE + 1))
    run.inspect()
    run.split()
    assert run.rejected == {"1.jpg": "too-large"}


def test_settings_below_a_prefix_that_are_too_long_are_not_read(cloud):
    loose(cloud, "0.jpg")
    cloud.put(PREFIX + "truthmill.json", b" " * (MAX_SETTINGS + 1))
    with pytest.raises(RequestError, match=r"truthmill\.json in incoming/cam/ has 1000001 bytes"):
        cloud.start(PREFIX).prepare()


ODD = ("/first.jpg", "../up.jpg", "a/../b.jpg", "./here.jpg", "tab\there.jpg", "x//y.jpg", "\x7f.jpg")


def test_keys_that_cannot_be_read_are_rejected_by_name_and_no_other_is(cloud):
    good = ("a b.jpg", "a%20b.jpg", "a+b.jpg", "c.jpg", "m/d.jpg", "y.jpg", "ü猫.jpg", "x?y=1&z#f.jpg")
    loose(cloud, *good, *ODD)
    run = cloud.start(PREFIX, trigger="schedule").to_the_end()
    assert run.rejected == dict.fromkeys(ODD, "unsafe-name")
    assert names(run) == set(good)
    assert run.counts["inputs"] == len(good) + len(ODD)
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"


def test_a_key_with_a_slash_at_its_end_beside_the_same_without_it_makes_no_sweep_find_something_new(cloud):
    """It is listed without the slash, behind keys that are greater."""
    loose(cloud, "a.jpg", "a.jpg.jpg", "a.jpg/", "b.jpg", "c.jpg.jpg", "c.jpg/", "d.jpg")
    run = cloud.start(PREFIX, trigger="schedule").to_the_end()
    assert run.counts["inputs"] == 7
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"
    cloud.put(PREFIX + "c.jpg/", picture(499))
    cloud.put(PREFIX + "a.jpg.jpg", picture(498))
    run = cloud.start(PREFIX, trigger="schedule")
    run.prepare()
    (batch,) = cloud.lines(run.state["plan"])
    assert [entry["name"] for entry in batch["entries"]] == ["a.jpg.jpg", "c.jpg"]


def test_a_key_that_ends_with_a_slash_is_no_picture_and_harms_none(cloud):
    """A folder of the console has no bytes; an object that has some can't be read by such a key."""
    loose(cloud, "a.jpg", "b.jpg", "c.jpg/", "d.jpg")
    cloud.put(PREFIX + "2026.05.01/", b"")
    run = cloud.start(PREFIX, trigger="schedule").to_the_end()
    assert run.rejected == {"c.jpg": "unsafe-name"}
    assert names(run) == {"a.jpg", "b.jpg", "d.jpg"}
    assert run.counts["inputs"] == 4
    assert cloud.start(PREFIX, trigger="schedule").prepare() == "nothing-new"
