"""`truthmill train-config`: what starts a training on a dataset, printed."""

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
_NEEDS = {"ultralytics": ("yolo",), "torchvision": ("coco",), "sagemaker": training.SAGEMAKER_FORMATS}
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

    folder: where `truthmill pull` laid the dataset out. Raises UsageError.
    """
    at = RunLayout(dataset, run or newest(storage, dataset))
    document = runs.read(storage, at.run_json)
    if document is None or document["state"] != "SUCCEEDED":
        raise UsageError(
            f"Dataset {dataset!r} has no complete run {at.run!r}. `truthmill status` lists them."
        )
    name = _format_of(document, trainer)
    folder = folder or f"out/{dataset}"
    if trainer == "ultralytics":
        return training.ultralytics_program(folder)
    if trainer == "torchvision":
        return training.torchvision_program(folder, len(document["request"]["labels"]))
    channels = msgspec.json.decode(storage.read(at.channel(name) + "channels.json"))
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


def _format_of(document: dict[str, Any], trainer: Trainer) -> str:
    """The run's first channel that the trainer reads. Raises UsageError where it has none."""
    found = next((name for name in _NEEDS[trainer] if name in document["channels"]), None)
    if found is None:
        raise UsageError(
            f"{trainer} reads {' or '.join(_NEEDS[trainer])}, and run {document['run']} has "
            f"{', '.join(document['channels'])}. Build it without labeling again: "
            f"truthmill resplit {document['dataset']} --channels {_NEEDS[trainer][0]}"
        )
    return found
