"""Requests for labeling jobs, as the tests of the labeling service need them."""

BUILT_IN = "arn:aws:lambda:us-east-1:432418664414:function:"


def a_request(**changes):
    """changes: dotted member to its value; None leaves it out."""
    request = {
        "LabelingJobName": "pets",
        "LabelAttributeName": "bounding-box",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bucket/pets.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://bucket/out/"},
        "RoleArn": "arn:aws:iam::111122223333:role/labeling",
        "LabelCategoryConfigS3Uri": "s3://bucket/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/pets",
            "UiConfig": {"UiTemplateS3Uri": "s3://bucket/template.html"},
            "PreHumanTaskLambdaArn": BUILT_IN + "PRE-BoundingBox",
            "TaskTitle": "Pets",
            "TaskDescription": "Draw pets.",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": BUILT_IN + "ACS-BoundingBox"
            },
        },
    }
    for path, value in changes.items():
        *parents, name = path.split(".")
        place = request
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[name]
        else:
            place[name] = value
    return request


def answer_of(*boxes, width=200, height=100):
    """A worker's answer; boxes: label, left, top, width, height."""
    names = ("label", "left", "top", "width", "height")
    drawn = [dict(zip(names, box, strict=True)) for box in boxes]
    return {
        "answer": {
            "boundingBox": {
                "boundingBoxes": drawn,
                "inputImageProperties": {"width": width, "height": height},
            }
        }
    }
