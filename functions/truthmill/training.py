"""What starts a training on a dataset's channels: a CreateTrainingJob request, or a short program.

Everything is made of plain values, so that what is sent to AWS can be read and compared.
Sources: SageMaker API reference, "CreateTrainingJob"; developer guide, "Docker Registry Paths and Example
Code" (the registry of each region) and "Object Detection Algorithm" (input modes, instance types).
"""

from collections.abc import Mapping
from typing import Any

from truthmill.errors import RequestError

SAGEMAKER_FORMATS = ("augmented-manifest", "sagemaker-image", "recordio")
INSTANCE_TYPE = "ml.g5.xlarge"  # the guide: GPU instances for training, among them G4dn, G5 and P3
VOLUME_GB = 50
MAX_RUNTIME_S = 24 * 3600
# Transfer learning on what the algorithm brings along; the rest are the algorithm's defaults.
HYPERPARAMETERS = {"base_network": "resnet-50", "use_pretrained_model": "1", "epochs": "30"}

REGISTRIES = {
    "ap-east-1": "286214385809",
    "ap-northeast-1": "501404015308",
    "ap-northeast-2": "306986355934",
    "ap-south-1": "991648021394",
    "ap-southeast-1": "475088953585",
    "ap-southeast-2": "544295431143",
    "ca-central-1": "469771592824",
    "eu-central-1": "813361260812",
    "eu-north-1": "669576153137",
    "eu-west-1": "685385470294",
    "eu-west-2": "644912444149",
    "eu-west-3": "749696950732",
    "me-south-1": "249704162688",
    "sa-east-1": "855470959533",
    "us-east-1": "811284229777",
    "us-east-2": "825641698319",
    "us-west-1": "632365934929",
    "us-west-2": "433757028032",
}


def training_image(region: str) -> str:
    """The built-in Object Detection's image. Raises RequestError for a region that isn't known to have it."""
    if region not in REGISTRIES:
        raise RequestError(
            f"Region {region!r} isn't known to have SageMaker's Object Detection; these are: "
            f"{', '.join(REGISTRIES)}. Copy the dataset to a bucket in one of them."
        )
    return f"{REGISTRIES[region]}.dkr.ecr.{region}.amazonaws.com/object-detection:1"


def create_training_job(
    name: str, region: str, role_arn: str, output: str, channels: Mapping[str, Any], instance_type: str = ""
) -> dict[str, Any]:
    """A CreateTrainingJob request.

    channels: the format's channels.json. output: s3:// prefix for the model. Raises RequestError where there
    is nothing to train on, or as `training_image` does.
    """
    inputs = channels["InputDataConfig"]
    there = {each["ChannelName"] for each in inputs}
    if "train" not in there:
        raise RequestError("The channels have no labeled picture in train, so there is nothing to train on.")
    if "validation" not in there:  # "Object Detection Algorithm", input/output interface
        raise RequestError(
            "The channels have no labeled picture in validation; SageMaker's Object Detection wants some. "
            "Split the dataset anew: truthmill resplit DATASET --validation 0.2"
        )
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": training_image(region),
            "TrainingInputMode": inputs[0].get("InputMode", "File"),
        },
        "RoleArn": role_arn,
        "InputDataConfig": inputs,
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {
            "InstanceType": instance_type or INSTANCE_TYPE,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": MAX_RUNTIME_S},
        "HyperParameters": {**HYPERPARAMETERS, **channels["HyperParameters"]},
    }


def ultralytics_program(folder: str) -> str:
    """Trains on a folder that `truthmill pull --format yolo` made."""
    return f"""from ultralytics import YOLO

YOLO("yolo11n.pt").train(data={f"{folder}/data.yaml"!r}, epochs=100, imgsz=640)
"""


def torchvision_program(images: str, annotations: str, classes: int) -> str:
    """Trains Faster R-CNN. images: folder of the training pictures; annotations: the COCO document."""
    return f"""import torch
from torchvision.datasets import CocoDetection
from torchvision.models.detection import fasterrcnn_resnet50_fpn_v2
from torchvision.transforms.functional import to_tensor

IMAGES = {images!r}
ANNOTATIONS = {annotations!r}
CLASSES = {classes} + 1  # category ids begin at 1; 0 is the background


def example(image, annotations):
    boxes = torch.tensor([each["bbox"] for each in annotations], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]  # left, top, width, height to left, top, right, bottom
    labels = torch.tensor([each["category_id"] for each in annotations], dtype=torch.int64)
    return to_tensor(image), {{"boxes": boxes, "labels": labels}}


pictures = CocoDetection(IMAGES, ANNOTATIONS, transforms=example)
loader = torch.utils.data.DataLoader(
    pictures, batch_size=4, shuffle=True, collate_fn=lambda batch: tuple(zip(*batch))
)
device = "cuda" if torch.cuda.is_available() else "cpu"
model = fasterrcnn_resnet50_fpn_v2(num_classes=CLASSES).to(device).train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, weight_decay=0.0005)
for epoch in range(10):
    for images, targets in loader:
        images = [image.to(device) for image in images]
        targets = [{{name: value.to(device) for name, value in target.items()}} for target in targets]
        loss = sum(model(images, targets).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, float(loss))
"""
