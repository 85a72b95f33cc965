"""Format augmented-manifest, against the documented lines and botocore's model of CreateTrainingJob."""

import json

import botocore.session
import pytest
from botocore.validate import ParamValidator

from truthmill.boxes import Box
from truthmill.channels import augmented_manifest
from truthmill.dataset import LabeledPicture
from truthmill.errors import ManifestError
from unit.channels.labeled_datasets import BUFFALO, PETS, REX, dataset_of, opener, written

PREFIX = "datasets/pets/channels/r1/augmented-manifest/"


def _channels(dataset):
    return json.loads(written(augmented_manifest, dataset, PREFIX)["channels.json"])


def test_the_lines_are_this_text():
    """Each class-map names the classes of its own picture only; a negative keeps its empty list."""
    files = written(augmented_manifest, PETS)
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


def _read(line):
    files = opener({"train.manifest": json.dumps(line).encode()})
    return list(augmented_manifest.read(files, "train", ("cat",)))


def test_a_line_without_an_answer_is_not_read_as_a_negative():
    with pytest.raises(ManifestError, match=r"train\.manifest, picture 1: s3://b/k\.jpg is not labeled"):
        _read({"source-ref": "s3://b/k.jpg"})


def test_a_box_outside_its_picture_is_an_error():
    size = {"width": 10, "height": 10, "depth": 3}
    box = {"class_id": 0, "left": 9, "top": 0, "width": 2, "height": 1}
    answer = {"image_size": [size], "annotations": [box]}
    with pytest.raises(ManifestError, match=r"train\.manifest, picture 1: k\.jpg: .*not inside 10 x 10"):
        _read({"source-ref": "s3://b/k.jpg", "bounding-box": answer})
