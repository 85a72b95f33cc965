"""`truthmill train-config` prints a request that SageMaker's model takes, or a program on pulled files."""

import ast
import json
import re
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from builders import archive, picture
from truthmill_cli.errors import UsageError
from truthmill_cli.pull import pull
from truthmill_cli.pull_format import pull_format
from truthmill_cli.train_config import train_config

ROLE = "arn:aws:iam::123456789012:role/training"


def labeled(cloud, *channels):
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(10)}))
    return cloud.start("incoming/pets.zip", channels=list(channels)).to_the_end({"9.jpg": []})


def faults(shape, value, where="request"):
    """Patterns, enums and lengths of botocore's model, which its own validator leaves alone."""
    if shape.type_name == "structure":
        return [
            fault
            for name, each in value.items()
            for fault in faults(shape.members[name], each, f"{where}.{name}")
        ]
    if shape.type_name == "list":
        return [fault for each in value for fault in faults(shape.member, each, where)]
    if shape.type_name == "map":
        return [
            fault for name, each in value.items() for fault in faults(shape.value, each, f"{where}.{name}")
        ]
    pattern, enum = shape.metadata.get("pattern"), getattr(shape, "enum", None)
    wrong = (pattern and not re.fullmatch(pattern, value)) or (enum and value not in enum)
    long = shape.type_name == "string" and len(value) > shape.metadata.get("max", 10**6)
    return [f"{where}: {value!r}"] if wrong or long else []


@pytest.mark.parametrize("name", ["augmented-manifest", "sagemaker-image", "recordio"])
def test_the_request_is_valid_by_sagemakers_own_model(cloud, store, name):
    run = labeled(cloud, name)
    request = json.loads(train_config(store, "pets", "sagemaker", role_arn=ROLE))
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    assert ParamValidator().validate(request, shape.input_shape).generate_report() == ""
    assert faults(shape.input_shape, request) == []
    assert request["TrainingJobName"] == f"pets-{run.run['run']}"
    assert request["RoleArn"] == ROLE
    assert request["HyperParameters"]["num_classes"] == "2"
    assert request["HyperParameters"]["num_training_samples"] == "8"
    assert {each["ChannelName"] for each in request["InputDataConfig"]} >= {"train", "validation"}


def test_the_manifest_is_read_in_pipe_mode(cloud, store):
    labeled(cloud, "augmented-manifest")
    request = json.loads(train_config(store, "pets", "sagemaker", region="eu-west-1"))
    assert request["AlgorithmSpecification"] == {
        "TrainingImage": "685385470294.dkr.ecr.eu-west-1.amazonaws.com/object-detection:1",
        "TrainingInputMode": "Pipe",
    }


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize(("trainer", "name"), [("ultralytics", "yolo"), ("torchvision", "coco")])
def test_programs_name_files_that_pull_lays_out(trainer, name, built, cloud, store, tmp_path):
    """All of the dataset, with the format that the run built; or the format alone, which it didn't."""
    labeled(cloud, name if built else "augmented-manifest")
    if built:
        pull(store, "pets", "", tmp_path)
    else:
        pull_format(store, "pets", "", tmp_path, name)
    program = ast.parse(train_config(store, "pets", trainer, folder=str(tmp_path)))
    texts = [node.value for node in ast.walk(program) if isinstance(node, ast.Constant)]
    paths = [Path(text) for text in texts if str(text).startswith(f"{tmp_path}/")]
    assert len(paths) == {"ultralytics": 1, "torchvision": 2}[trainer]
    assert all(path.exists() for path in paths)


def test_a_channel_that_is_missing_is_named_with_the_way_to_it(cloud, store):
    labeled(cloud, "coco")
    with pytest.raises(UsageError, match="truthmill resplit pets --channels augmented-manifest"):
        train_config(store, "pets", "sagemaker")


def test_a_region_without_the_algorithm_is_named(cloud, store):
    labeled(cloud, "augmented-manifest")
    with pytest.raises(UsageError, match="mars-north-1"):
        train_config(store, "pets", "sagemaker", region="mars-north-1")


@pytest.mark.usefixtures("cloud")
def test_a_dataset_that_is_not_there_is_named(store):
    with pytest.raises(UsageError, match="'cats'"):
        train_config(store, "cats", "sagemaker")


def test_what_sagemaker_would_not_take_is_named(cloud, store):
    labeled(cloud, "augmented-manifest")
    with pytest.raises(UsageError, match="--role-arn 'training' is no role's ARN, such as arn:aws:iam::"):
        train_config(store, "pets", "sagemaker", role_arn="training")
    with pytest.raises(UsageError, match=r"--instance-type 'g5.xlarge' is none .*ml\.g5\.xlarge"):
        train_config(store, "pets", "sagemaker", instance_type="g5.xlarge")


def test_a_dataset_without_validation_is_not_trained_on_in_sagemaker(cloud, store):
    """Its Object Detection wants both channels."""
    cloud.put("incoming/pets.zip", archive({f"{number}.jpg": picture(number) for number in range(3)}))
    cloud.start("incoming/pets.zip", channels=["augmented-manifest"], split={"validation": 0}).to_the_end()
    with pytest.raises(UsageError, match=r"no labeled picture in validation.*truthmill resplit"):
        train_config(store, "pets", "sagemaker")
