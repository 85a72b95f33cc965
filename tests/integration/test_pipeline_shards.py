"""A large dataset's channels are built in shards: what comes out is what one function would have written."""

import functools

import pytest

from adapters import joined
from adapters.joined import join
from builders import archive, picture
from truthmill.channels import CHANNELS

CAT_AND_DOG = [
    {"class_id": 1, "left": 1, "top": 2, "width": 30, "height": 11},
    {"class_id": 0, "left": 3, "top": 5, "width": 20, "height": 11},
]
IN_SHARDS_OF_FILES = {"webdataset", "parquet"}


def built(cloud, monkeypatch, dataset, most):
    """Two zips of pictures, some negative; channels of all formats, from shards of so many pictures."""
    monkeypatch.setenv("CHANNEL_SHARD_PICTURES", "1000")
    cloud.put(f"incoming/{dataset}.zip", archive({f"{number}.jpg": picture(number) for number in range(7)}))
    split = {"validation": 0.25, "seed": "the same"}
    cloud.start(f"incoming/{dataset}.zip", dataset=dataset, split=split).to_the_end(
        {"-3.jpg": [], "-5.jpg": CAT_AND_DOG}
    )
    monkeypatch.setenv("CHANNEL_SHARD_PICTURES", str(most))
    cloud.put(
        f"incoming/{dataset}2.zip", archive({f"{number}.jpg": picture(number) for number in range(7, 13)})
    )
    run = cloud.start(f"incoming/{dataset}2.zip", dataset=dataset, channels=list(CHANNELS), split=split)
    run.to_the_end({"-9.jpg": CAT_AND_DOG, "-12.jpg": []})
    return run, {key.removeprefix(run.channels): found for key, found in cloud.objects(run.channels).items()}


def without_names(run, files):
    """Files with the dataset's and the run's own names, and the time, taken out."""
    own = (run.run["dataset"].encode(), run.run["run"].encode(), run.run_json["startedAt"][:-1].encode())
    cleaned = {}
    own = (run.run_json["jobs"][0]["name"].encode(), *own)
    for name, content in files.items():
        cleaned[name] = functools.reduce(lambda left, text: left.replace(text, b"?"), own, content)
    return cleaned


@pytest.mark.parametrize("most", [1, 4])
def test_shards_make_the_same_files_as_one_function(cloud, monkeypatch, most):
    whole, files = built(cloud, monkeypatch, "by-one", 1000)
    apart, merged = built(cloud, monkeypatch, "by-two", most)
    assert apart.cloud.keys(apart.prefix + "shards/")
    expected, found = without_names(whole, files), without_names(apart, merged)
    for name in CHANNELS.keys() - IN_SHARDS_OF_FILES:
        of_format = [file for file in expected if file.startswith(name + "/")]
        assert sorted(of_format) == sorted(file for file in found if file.startswith(name + "/"))
        for file in of_format:
            assert found[file].replace(b" ", b"") == expected[file].replace(b" ", b""), file


def test_a_shard_that_is_built_again_and_a_second_merge_change_nothing(cloud, monkeypatch):
    from pipeline import build_shards, merge_shards

    run, _ = built(cloud, monkeypatch, "pets", 4)
    before = cloud.objects(run.channels)
    cloud.delete(f"{run.prefix}shards/coco/000001.json")
    for shard in cloud.lines(run.prefix + "shards.jsonl"):
        build_shards.handler({"run": run.run, "batch": shard}, None)
    merge_shards.handler({"run": run.run}, None)
    assert cloud.objects(run.channels) == before


@pytest.mark.parametrize(
    "sizes", [[1, 2, 3], [5 << 20, 7], [3, 6 << 20, 2 << 20, 4 << 20, 1], [(5 << 20) + 1] * 3]
)
def test_pieces_of_any_size_are_joined_in_their_order(cloud, store, sizes):
    joined._client.cache_clear()
    contents = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    for number, content in enumerate(contents):
        cloud.put(f"pieces/{number}", content)
    join(store, [store.head(f"pieces/{number}") for number in range(len(sizes))], "whole", "text/plain")
    assert cloud.get("whole") == b"".join(contents)


def test_a_piece_larger_than_a_part_is_copied_in_several(cloud, store, monkeypatch):
    joined._client.cache_clear()
    monkeypatch.setattr(joined, "COPIED_AT_ONCE", 6 << 20)
    content = bytes(range(256)) * (68 << 10)
    cloud.put("pieces/0", b"abc")
    cloud.put("pieces/1", content)
    join(store, [store.head("pieces/0"), store.head("pieces/1")], "whole", "text/plain")
    assert cloud.get("whole") == b"abc" + content
