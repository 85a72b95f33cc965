"""Format augmented-manifest, against the documented lines and botocore's model of CreateTrainingJob."""

import json

import botocore.session
import pytest
from botocore.validate import ParamValidator

from truthmill.boxes import Box
from truthmill.channels import CHANNELS
from truthmill.dataset import LabeledPicture
from truthmill.errors import FormatError
from unit.channels.labeled_datasets import BUFFALO, PETS, REX, Sources, dataset_of, written

MANIFEST = CHANNELS["augmented-manifest"]
PREFIX = "datasets/pets/channels/r1/augmented-manifest/"


def _channels(dataset):
    return json.loads(written(MANIFEST, dataset, PREFIX)["channels.json"])


def test_the_lines_are_this_text():
    """Each class-map names the classes of its own picture only; a negative keeps its empty list."""
    files = written(MANIFEST, PETS)
    metadata = (
        '"type":"groundtruth/object-detection","human-annotated":"yes",'
        '"creation-date":"2026-11-23T10:00:00.000000","job-name":"labeling-job/pets-1"}}\n'
    )
    assert files["train.manifest"].decode() == (
        '{"source-ref":"s3://bucket/datasets/pets/images/train/3f9a2c1b-rex.jpg",'
        '"bounding-box":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":['
        '{"class_id":1,"left":10,"top":20,"width":30,"height":40},'
        '{"class_id":0,"left":0,"top":0,"width":640,"height":480}]},'
        '"bounding-box-metadata":{"objects":[{"confidence":0},{"confidence":0}],'
        '"class-map":{"0":"cat","1":"the \\"big\\" dog"},'
        + metadata
        + '{"source-ref":"s3://bucket/datasets/pets/images/train/aa00bb11-meadow.png",'
        '"bounding-box":{"image_size":[{"width":300,"height":200,"depth":3}],"annotations":[]},'
        '"bounding-box-metadata":{"objects":[],"class-map":{},' + metadata
    )
    assert files["validation.manifest"].decode() == (
        '{"source-ref":"s3://bucket/datasets/pets/images/validation/cc22dd33-b.jpg",'
        '"bounding-box":{"image_size":[{"width":100,"height":50,"depth":3}],"annotations":['
        '{"class_id":2,"left":99,"top":49,"width":1,"height":1}]},'
        '"bounding-box-metadata":{"objects":[{"confidence":0}],"class-map":{"2":"Büffel 🐃"},' + metadata
    )


def test_channels_json_holds_what_create_training_job_wants():
    def channel(split):
        return {
            "ChannelName": split,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "AugmentedManifestFile",
                    "S3Uri": f"s3://bucket/datasets/pets/channels/r1/augmented-manifest/{split}.manifest",
                    "S3DataDistributionType": "FullyReplicated",
                    "AttributeNames": ["source-ref", "bounding-box"],
                }
            },
            "ContentType": "application/x-recordio",
            "RecordWrapperType": "RecordIO",
            "CompressionType": "None",
            "InputMode": "Pipe",
        }

    assert _channels(PETS) == {
        "InputDataConfig": [channel("train"), channel("validation")],
        "HyperParameters": {
            "num_classes": "3",
            "num_training_samples": "2",
            "mini_batch_size": "2",
            "label_width": "350",
        },
    }


def _allowed(shape, value, path=""):
    """What botocore's own validator leaves out: patterns and enums, all the way down."""
    if shape.type_name == "structure":
        for key, member in value.items():
            yield from _allowed(shape.members[key], member, f"{path}.{key}")
    elif shape.type_name == "list":
        for member in value:
            yield from _allowed(shape.member, member, path)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _allowed(shape.key, key, path)
            yield from _allowed(shape.value, member, f"{path}.{key}")
    elif shape.type_name == "string":
        yield path, not shape.enum or value in shape.enum


def test_botocore_accepts_it_in_a_request():
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateTrainingJob").input_shape
    request = {
        **_channels(PETS),
        "TrainingJobName": "pets",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "Pipe"},
        "RoleArn": "arn:aws:iam::111122223333:role/training",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    assert ParamValidator().validate(request, shape).generate_report() == ""
    assert [path for path, legal in _allowed(shape, request) if not legal] == []


def test_a_split_without_pictures_is_no_channel():
    """SageMaker refuses an empty manifest."""
    assert [each["ChannelName"] for each in _channels(dataset_of(REX))["InputDataConfig"]] == ["train"]


def _crowded(boxes, split):
    row = tuple(Box(0, column, 0, 1, 1) for column in range(boxes))
    return LabeledPicture(key=f"{boxes}.jpg", split=split, width=boxes, height=1, boxes=row)


@pytest.mark.parametrize(("boxes", "label_width"), [(68, "350"), (69, "355"), (300, "1510")])
def test_label_width_holds_the_most_crowded_picture_of_any_split(boxes, label_width):
    """5 numbers a box, and 10 more; 350 is the default."""
    dataset = dataset_of(REX, _crowded(boxes, "validation"))
    assert _channels(dataset)["HyperParameters"]["label_width"] == label_width


@pytest.mark.parametrize(("pictures", "batch"), [(1, "1"), (31, "31"), (32, "32"), (33, "32")])
def test_a_batch_is_never_larger_than_the_training_split(pictures, batch):
    train = [LabeledPicture(key=f"{n}.jpg", split="train", width=1, height=1) for n in range(pictures)]
    parameters = _channels(dataset_of(*train, BUFFALO))["HyperParameters"]
    assert (parameters["num_training_samples"], parameters["mini_batch_size"]) == (str(pictures), batch)


def _read(*lines, labels=None, **more):
    files = {"train.manifest": "\n".join(map(json.dumps, lines)).encode(), **more}
    return MANIFEST.read(Sources(files), labels)


def _line(name, class_map, attribute="boxes", source="s3://b/k.jpg", date="2026-01-01T00:00:00", **more):
    annotations = [
        {"class_id": int(number), "left": 1, "top": 2, "width": 3, "height": 4} for number in class_map
    ]
    size = {"width": 10, "height": 10, "depth": 3}
    return {
        "source-ref": source,
        attribute: {"image_size": [size], "annotations": annotations},
        f"{attribute}-metadata": {
            "class-map": class_map,
            "type": "groundtruth/object_detection",
            "creation-date": date,
            "job-name": name,
        },
        **more,
    }


def test_a_line_without_an_answer_is_not_read_as_a_negative():
    reading = _read({"source-ref": "s3://b/k.jpg"}, labels=("cat",))
    assert [picture.unlabeled for picture in reading.pictures] == ["no attribute 'boxes'"]


def test_a_line_that_failed_is_not_read_as_a_negative():
    empty = {"image_size": [{"width": 10, "height": 10}], "annotations": []}
    failed = {"type": "groundtruth/object-detection", "failure-reason": "The picture could not be read."}
    line = {"source-ref": "s3://b/k.jpg", "boxes": empty, "boxes-metadata": failed}
    found = list(_read(line, labels=("cat",)).pictures)
    assert [(picture.unlabeled, picture.boxes) for picture in found] == [
        ("The picture could not be read.", ())
    ]


def test_manifests_of_several_jobs_are_read_by_the_names_of_their_classes():
    """Each job numbers them by a list of its own and has an attribute of its own."""
    first = _line("a", {"0": "cat"}, attribute="one")
    second = _line("b", {"0": "dog", "1": "cat"}, attribute="two", source="s3://b/l.jpg", split="validation")
    reading = _read(first, second, labels=("dog", "cat"))
    assert [(p.split, [box.class_id for box in p.boxes]) for p in reading.pictures] == [
        ("train", [1]),
        ("validation", [0, 1]),
    ]


def test_of_chained_jobs_the_newest_answer_counts():
    adjusted = _line("a", {"0": "cat"}, attribute="zz")
    newest = _line("b", {}, attribute="adjusted", date="2026-02-01T00:00:00")
    assert [picture.boxes for picture in _read({**adjusted, **newest}, labels=("cat",)).pictures] == [()]


def test_the_class_list_is_the_union_of_the_lines_maps():
    reading = _read(_line("a", {"1": "dog"}), _line("a", {"0": "cat"}))
    assert reading.labels == ("cat", "dog")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [_line("a", {"0": "cat"}), _line("b", {"0": "dog"})],
            r"line 2: class 0 is 'dog' here and 'cat' before",
        ),
        ([_line("a", {"3": "cat"})], "no whole list"),
        ([_line("a", {"0": "cat", "1": "cat"})], "no whole list"),
    ],
)
def test_maps_that_make_no_list_ask_for_the_labels(lines, message):
    with pytest.raises(FormatError, match=message):
        _read(*lines)


def test_the_label_category_file_is_the_class_list():
    categories = {"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}
    reading = _read(_line("a", {"1": "dog"}), **{"labels.json": json.dumps(categories).encode()})
    assert reading.labels == ("cat", "dog")


def test_of_chained_jobs_with_one_date_or_none_the_later_in_the_line_counts():
    """A job adds its attribute at the end; the first one was taken before."""
    for date in ("2026-01-01T00:00:00", ""):
        first = _line("b", {}, attribute="first", date=date)
        adjusted = _line("b", {"0": "cat"}, attribute="adjusted", date=date)
        (picture,) = _read({**first, **adjusted}, labels=("cat",)).pictures
        assert len(picture.boxes) == 1


def test_boxes_without_metadata_are_told_as_such():
    line = _line("b", {"0": "cat"}, attribute="bounding-box")
    del line["bounding-box-metadata"]
    (picture,) = _read(line, labels=("cat",)).pictures
    assert picture.unlabeled == "'bounding-box' has no 'bounding-box-metadata', which names its classes"


@pytest.mark.parametrize("source", ["https://b.s3.amazonaws.com/p/a.jpg", "s3://b/p/a.jpg", "p/a.jpg"])
def test_a_picture_is_called_by_its_key_whatever_the_kind_of_uri(source):
    line = _line("b", {"0": "cat"}, attribute="bounding-box") | {"source-ref": source}
    (picture,) = _read(line, labels=("cat",)).pictures
    assert picture.path == "p/a.jpg"
