"""Jobs that adjust, verify, or bring functions of their own, with workers at the portal."""

import io
import json
import re
import zipfile
from itertools import count

import pytest

from labeling_builders import BUILT_IN, answer_of

PRE = "HumanTaskConfig.PreHumanTaskLambdaArn"
CONSOLIDATION = "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
FORM = "<crowd-form><p>{{ task.input.%s }}</p></crowd-form>"
BOX = {"class_id": 0, "left": 10, "top": 20, "width": 30, "height": 40}
EARLIER = {
    "boxes": {"image_size": [{"width": 200, "height": 100, "depth": 3}], "annotations": [BOX]},
    "boxes-metadata": {
        "objects": [{"confidence": 0}],
        "class-map": {"0": "dog"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2026-01-02T03:04:05.000000",
        "job-name": "labeling-job/earlier",
    },
}
# As somebody has them in their account.
PRE_ANNOTATION = """
def handler(event, context):
    given = event["dataObject"]
    if given["n"] == 3:
        raise ValueError("no such object")
    assert event["version"] == "2018-10-16" and event["labelingJobArn"].endswith(given["job"])
    return {"taskInput": {"text": given["source"].upper()}, "isHumanAnnotationRequired": given["n"] != 2}
"""
CONSOLIDATE = """
import boto3, json
def handler(event, context):
    bucket, _, key = event["payload"]["s3Uri"][5:].partition("/")
    payload = json.loads(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    name = event["labelAttributeName"]
    made = []
    for each in payload:
        answers = [json.loads(a["annotationData"]["content"])["words"] for a in each["annotations"]]
        if "nonsense" in answers:
            continue
        content = {name: {"words": sorted(answers), "of": each["dataObject"]["content"]},
                   name + "-metadata": {"by": event["roleArn"], "of": event["labelCategories"]}}
        made.append({"datasetObjectId": each["datasetObjectId"],
                     "consolidatedAnnotation": {"content": content}})
    return made
"""
_numbers = count()


@pytest.fixture(scope="module")
def function(stack):
    """Deploys a function of somebody's own and gives its ARN."""

    def deploy(code, name="my-LabelingFunction"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("own.py", code)
        iam, unique = stack.client("iam"), f"{name}-{next(_numbers)}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.create_role(RoleName=unique, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{stack.bucket}/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
        iam.put_role_policy(RoleName=unique, PolicyName="reads", PolicyDocument=policy)
        made = stack.client("lambda").create_function(
            FunctionName=unique,
            Runtime="python3.11",
            Handler="own.handler",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": packed.getvalue()},
            Timeout=30,
        )
        return made["FunctionArn"]

    return deploy


def lines(stack, described):
    text = stack.read(described["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode()
    return [json.loads(line) for line in text.splitlines()]


def built_in(name, team, objects=1, earlier=None, **changes):
    """A running job of a built-in kind, whose pictures have boxes."""
    job = f"{name.lower()}-{team.name}"
    for number in range(objects):
        team.stack.put(f"{job}/{number}.png", _picture())
    manifest = "".join(
        json.dumps({"source-ref": f"s3://{team.stack.bucket}/{job}/{number}.png", **(earlier or EARLIER)})
        + "\n"
        for number in range(objects)
    )
    return team.running_job(
        manifest=manifest,
        **{PRE: f"{BUILT_IN}PRE-{name}", CONSOLIDATION: f"{BUILT_IN}ACS-{name}", "LabelingJobName": job},
        **changes,
    )


def _picture():
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (200, 100)).save(out, "PNG")
    return out.getvalue()


def take(worker, job):
    (task,) = worker.post(f"api/jobs/{job}/tasks", {})["tasks"]
    return task


def test_an_adjustment_keeps_the_earlier_boxes_and_says_what_was_adjusted(stack, team):
    worker = team.worker()
    template = stack.put(f"{team.name}.html", FORM % "initialValue | to_json")
    job = built_in(
        "AdjustmentBoundingBox", team, 2, **{"HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": template}}
    )
    drawn = {}
    for box in (("dog", 10, 20, 30, 40), ("dog", 11, 20, 30, 40)):
        task = take(worker, job)
        page = worker.page(task["page"])
        assert "{&#34;label&#34;:&#34;dog&#34;,&#34;left&#34;:10,&#34;top&#34;:20" in page
        worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer_of(box))
        drawn[int(task["objectName"].removesuffix(".png"))] = box[1]
    for line, left in zip(lines(stack, team.wait_for(job, "Completed")), (drawn[0], drawn[1]), strict=True):
        assert {name: line[name] for name in EARLIER} == EARLIER
        metadata = line["bounding-box-metadata"]
        assert metadata["adjustment-status"] == {10: "unadjusted", 11: "adjusted"}[left]
        assert line["bounding-box"]["annotations"] == [BOX | {"class_id": 1, "left": left}]


def test_boxes_of_a_label_that_an_adjustment_job_lacks_fail_it(team):
    other = json.loads(json.dumps(EARLIER).replace('"dog"', '"cow"'))
    job = f"unknown-{team.name}"
    team.create_job(
        manifest=json.dumps({"source-ref": f"s3://{team.stack.bucket}/a.png", **other}),
        **{
            PRE: f"{BUILT_IN}PRE-AdjustmentBoundingBox",
            CONSOLIDATION: f"{BUILT_IN}ACS-AdjustmentBoundingBox",
            "LabelingJobName": job,
        },
    )
    assert "'boxes' has boxes of 'cow'" in team.wait_for(job, "Failed")["FailureReason"]


def test_a_verification_has_the_verdict_of_most_workers_with_their_comments(stack, team):
    workers = [team.worker() for _ in range(3)]
    job = built_in(
        "VerificationBoundingBox", team, **{"HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 3}
    )
    for worker, label in zip(workers, ("cat", "dog", "dog"), strict=True):
        where = f"api/jobs/{job}/tasks/{take(worker, job)['task']}/answer"
        with pytest.raises(Exception, match="AnswerInvalid"):
            worker.post(where, {"answer": {"crowd-image-classifier": {"label": "cow"}}})
        verdict = {"crowd-image-classifier": {"label": label}, "comment": f"a {label}"}
        worker.post(where, {"answer": verdict})
    (line,) = lines(stack, team.wait_for(job, "Completed"))
    assert {name: line[name] for name in EARLIER} == EARLIER
    assert line["bounding-box"] == "1"
    metadata = line["bounding-box-metadata"]
    assert metadata["creation-date"] > "2026"
    assert metadata | {"creation-date": ""} == {
        "class-name": "dog",
        "confidence": 0.6667,
        "type": "groundtruth/label-verification",
        "human-annotated": "yes",
        "creation-date": "",
        "job-name": f"labeling-job/{job}",
        "worker-feedback": [{"comment": "a cat"}, {"comment": "a dog"}, {"comment": "a dog"}],
    }


def test_a_jobs_own_functions_make_its_tasks_and_its_labels(stack, team, function):
    """Object 2 needs no worker, the function fails on 3, and of 1's answers it makes nothing."""
    workers = [team.worker() for _ in range(2)]
    job = f"own-{team.name}"
    manifest = "".join(json.dumps({"source": f"word {n}", "n": n, "job": job}) + "\n" for n in range(4))
    team.running_job(
        manifest=manifest,
        **{
            "LabelingJobName": job,
            "LabelAttributeName": "words",
            "LabelCategoryConfigS3Uri": None,
            PRE: function(PRE_ANNOTATION),
            CONSOLIDATION: function(CONSOLIDATE),
            "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2,
            "HumanTaskConfig.UiConfig": {"UiTemplateS3Uri": stack.put(f"{job}.html", FORM % "text")},
        },
    )
    for worker, said in zip(workers, ("b", "a"), strict=True):
        for _ in range(2):
            task = take(worker, job)
            number = int(re.search(r"<p>WORD ([01])</p>", worker.page(task["page"]))[1])
            answer = {"answer": {"words": said if number == 0 else "nonsense"}}
            worker.post(f"api/jobs/{job}/tasks/{task['task']}/answer", answer)
    described = team.wait_for(job, "Completed")
    assert described["LabelCounters"] == {
        "TotalLabeled": 1,
        "HumanLabeled": 1,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 2,
        "Unlabeled": 1,
    }
    labeled, without, skipped, unfit = lines(stack, described)
    assert labeled["words"] == {"words": ["a", "b"], "of": "word 0"}
    metadata = labeled["words-metadata"]
    assert (metadata["type"], metadata["human-annotated"], metadata["of"]) == (
        "groundtruth/custom",
        "yes",
        [],
    )
    assert metadata["by"] == described["RoleArn"]
    assert "made no label" in without["words-metadata"]["failure-reason"]
    assert "failure-reason" not in skipped["words-metadata"]
    assert skipped["words-metadata"]["human-annotated"] == "no"
    assert "no such object" in unfit["words-metadata"]["failure-reason"]
    assert not any("words" in line for line in (without, skipped, unfit))
    request = f"{job}/out/{job}/annotations/consolidated-annotation/consolidation-request/iteration-1/"
    (payload,) = stack.keys(request)
    assert [each["datasetObjectId"] for each in json.loads(stack.read(f"s3://{stack.bucket}/{payload}"))] == [
        "0", "1"
    ]  # fmt: skip


def test_a_function_that_the_service_may_not_invoke_is_refused_by_its_name(team, function):
    with pytest.raises(Exception, match=r"PreHumanTaskLambdaArn.*whose name matches '\*LabelingFunction\*'"):
        team.create_job(**{PRE: function("", "unnamed")})
