"""`truthmill train-config`: what starts a training on a dataset, printed."""

import difflib
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from adapters.storage import Storage
from truthmill import training
from truthmill.errors import RequestError
from truthmill.layout import RunLayout
from truthmill_cli import runs
from truthmill_cli.errors import UsageError
from truthmill_cli.pull import newest

Trainer = Literal["sagemaker", "ultralytics", "torchvision"]
_NO_ROLE = "arn:aws:iam::111122223333:role/your-sagemaker-role"


def train_config(
    storage: Storage,
    dataset: str,
    trainer: Trainer,
    *,
    run: str = "",
    region: str = "us-east-1",
    role_arn: str = "",
    instance_type: str = "",
    folder: str = "",
) -> str:
    """The request as JSON, or the program. run: empty for the newest complete one.

    folder: where `truthmill pull` laid the dataset out, all of it or in the trainer's format; by default
    out/<dataset>, in the format. Raises UsageError.
    """
    at = RunLayout(dataset, run or newest(storage, dataset))
    document = runs.read(storage, at.run_json)
    if document is None or document["state"] != "SUCCEEDED":
        raise UsageError(
            f"Dataset {dataset!r} has no complete run {at.run!r}. `truthmill status` lists them."
        )
    folder = folder or f"out/{dataset}"
    if trainer == "ultralytics":
        return training.ultralytics_program(_format_folder(folder, "yolo"))
    if trainer == "torchvision":
        return training.torchvision_program(
            f"{folder}/images/train",
            f"{_format_folder(folder, 'coco')}/instances_train.json",
            len(document["request"]["labels"]),
        )
    name = _format_of(document)
    channels = msgspec.json.decode(storage.read(at.channel(name) + "channels.json"))
    _check(role_arn, instance_type)
    try:
        request = training.create_training_job(
            f"{dataset}-{at.run}",
            region,
            role_arn or _NO_ROLE,
            storage.uri(f"models/{dataset}/"),
            channels,
            instance_type,
        )
    except RequestError as error:
        raise UsageError(str(error)) from error
    return msgspec.json.format(msgspec.json.encode(request), indent=2).decode() + "\n"


def _check(role_arn: str, instance_type: str) -> None:
    """Raises UsageError for what CreateTrainingJob wouldn't take, as botocore's model of it says."""
    import botocore.session  # noqa: PLC0415 - a program needs none of it

    service = botocore.session.get_session().get_service_model("sagemaker")
    shape: Any = service.operation_model("CreateTrainingJob").input_shape
    pattern = shape.members["RoleArn"].metadata["pattern"]
    if role_arn and not re.fullmatch(pattern, role_arn):
        raise UsageError(f"--role-arn {role_arn!r} is no role's ARN, such as {_NO_ROLE}.")
    known = shape.members["ResourceConfig"].members["InstanceType"].enum
    if instance_type and instance_type not in known:
        near = difflib.get_close_matches(instance_type, known, 3) or [training.INSTANCE_TYPE]
        raise UsageError(
            f"--instance-type {instance_type!r} is none of SageMaker's. Near: {', '.join(near)}."
        )


def _format_folder(folder: str, name: str) -> str:
    """Where a pulled folder has a format: below channels/ where all of the dataset was pulled."""
    below = f"{folder}/channels/{name}"
    return below if Path(below).is_dir() else folder


def _format_of(document: dict[str, Any]) -> str:
    """The run's first channel that SageMaker reads. Raises UsageError where it has none."""
    wanted = training.SAGEMAKER_FORMATS
    found = next((name for name in wanted if name in document["channels"]), None)
    if found is None:
        raise UsageError(
            f"sagemaker reads {' or '.join(wanted)}, and run {document['run']} has "
            f"{', '.join(document['channels'])}. Build it without labeling again: "
            f"truthmill resplit {document['dataset']} --channels {wanted[0]}"
        )
    return found
