"""What CreateTrainingJob is told about a channel; SageMaker's formats write it as channels.json.

Sources: SageMaker API reference, "Channel" and "S3DataSource"; developer guide, "Object Detection
Hyperparameters".
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from truthmill.channels.writing import Counts, Whole
from truthmill.dataset import Heading

# "Object Detection Hyperparameters": default of mini_batch_size, default of label_width.
DEFAULT_BATCH = 32
DEFAULT_LABEL_WIDTH = 350


def s3_input(
    name: str, uri: str, content_type: str, data_type: str = "S3Prefix", attributes: list[str] | None = None
) -> dict[str, Any]:
    """One entry of InputDataConfig. attributes: of an augmented manifest, in their order."""
    source: dict[str, Any] = {
        "S3DataType": data_type,
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    if attributes:
        source["AttributeNames"] = attributes
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": content_type,
        "CompressionType": "None",
    }


def hyperparameters(heading: Heading, counts: Mapping[str, Counts]) -> dict[str, str]:
    """What Object Detection needs to read the channel.

    A box takes 5 numbers of the label, its header 2; the guide advises a little more, and adds 10 in its own
    example. The most crowded picture of all splits counts.
    """
    training = counts["train"].pictures if "train" in counts else 0
    most = max((split.most_boxes for split in counts.values()), default=0)
    return {
        "num_classes": str(len(heading.labels)),
        "num_training_samples": str(training),
        "mini_batch_size": str(max(1, min(DEFAULT_BATCH, training))),
        "label_width": str(max(DEFAULT_LABEL_WIDTH, 5 * most + 10)),
    }


def channels_json(inputs: list[dict[str, Any]], parameters: Mapping[str, str]) -> Whole:
    document = {"InputDataConfig": inputs, "HyperParameters": parameters}
    return Whole("channels.json", msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
