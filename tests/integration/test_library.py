"""The library reads what the pipeline made, from S3 and from a folder that was pulled."""

import re
from pathlib import Path

import pytest

from builders import archive, picture
from truthmill import Dataset
from truthmill.boxes import Box
from truthmill.errors import SourceError
from truthmill_cli.pull import pull

DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
URI = "s3://truthmill-test/datasets/pets"


def labeled(cloud):
    """Ten pictures: nine with one cat, the tenth with nothing."""
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(10)}))
    return cloud.start("incoming/pets.zip").to_the_end({"9.jpg": []})


def test_every_block_of_the_document_runs(cloud, capsys):
    labeled(cloud)
    capsys.readouterr()
    program = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    exec(compile(program, str(DOCUMENT), "exec"), {"__name__": "document"})  # noqa: S102 - our own document
    printed = capsys.readouterr().out
    assert printed.startswith("('cat', 'dog') ('train', 'validation')\n")
    assert "[('cat', 9)] (64, 48) " in printed


def test_pictures_come_with_their_boxes_and_a_negative_without(cloud):
    labeled(cloud)
    pets = Dataset.open(URI)
    found = {picture.name: picture for picture in pets}
    assert len(found) == 10
    assert [(drawn.label, drawn.box) for drawn in found["0.jpg"].boxes] == [("cat", Box(0, 3, 5, 20, 11))]
    assert found["0.jpg"].boxes[0].xyxy == (3, 5, 23, 16)
    assert found["9.jpg"].boxes == ()
    assert {name: len(list(pets.split(name))) for name in pets.splits} == {"train": 8, "validation": 2}


def test_a_pulled_folder_reads_the_same_bytes(cloud, store, tmp_path):
    run = labeled(cloud)
    pull(store, "pets", "", tmp_path)
    there, here = Dataset.open(URI), Dataset.open(tmp_path)
    assert here.run == there.run == run.run["run"]
    assert [each.read() for each in here] == [each.read() for each in there]
    assert next(iter(here)).uri == (tmp_path / "images" / next(iter(there)).key.split("images/")[1]).as_uri()


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    "where", ["s3://truthmill-test/pets", "s3://truthmill-test/datasets/cats", "nowhere"]
)
def test_what_is_no_dataset_is_named(where):
    with pytest.raises(SourceError, match=where):
        Dataset.open(where)


def test_a_file_and_a_folder_of_something_else_are_named(tmp_path):
    (tmp_path / "run.json").write_text("something else")
    for where in (tmp_path, tmp_path / "run.json"):
        with pytest.raises(SourceError, match="wasn't made by `truthmill pull"):
            Dataset.open(where)


def test_a_run_that_is_not_there_is_named(cloud, store, tmp_path):
    labeled(cloud)
    with pytest.raises(SourceError, match="'0123'"):
        Dataset.open(URI, run="0123")
    pull(store, "pets", "", tmp_path)
    with pytest.raises(SourceError, match="0123"):
        Dataset.open(tmp_path, run="0123")


def test_a_split_that_is_none_is_an_error(cloud):
    labeled(cloud)
    with pytest.raises(ValueError, match="'val'"):
        Dataset.open(URI).split("val")
