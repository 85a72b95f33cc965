"""What a job leaves in S3, in Ground Truth's layout."""

import json

import msgspec
import pytest

from labeling_builders import a_request
from truthmill.boxes import Box
from truthmill.labeling_jobs import (
    Counters,
    Job,
    describe,
    enough,
    label_counters,
    shards_for,
    state_change,
    summary,
    workteam_summary,
)
from truthmill.labeling_output import (
    LabeledObject,
    Submitted,
    consolidation_entry,
    output_line,
    worker_response,
    worker_response_key,
)
from truthmill.worker_answers import Answer

MOMENT = 1_539_368_173_527  # 2018-10-12T18:16:13.527Z


def a_job(**changes):
    job = Job(
        name="pets-1",
        arn="arn:aws:sagemaker:us-east-1:111122223333:labeling-job/pets-1",
        request=a_request(LabelingJobName="pets-1"),
        reference="abc",
        created=1_000_000,
        modified=2_000_000,
        labels=("dog", "cat", "cow"),
        objects=4,
    )
    return msgspec.structs.replace(job, **changes)


def submitted(worker, *boxes, at=MOMENT):
    content = {"boundingBox": {"boundingBoxes": len(boxes)}}
    return Submitted(
        worker=worker,
        sub=f"sub-{worker}",
        issuer="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
        accepted=at - 12_500,
        submitted=at,
        content=content,
        answer=Answer(boxes, (500, 400)),
    )


def an_object(*answers, state="labeled", line='{"source-ref":"s3://b/a.png","split": "train"}'):
    return LabeledObject(number=7, line=line, state=state, answers=answers)


def test_a_labeled_line_is_what_ground_truth_documents():
    line = output_line(a_job(), an_object(submitted("ann", Box(2, 111, 134, 61, 128))), ended=0)
    assert json.loads(line) == {
        "source-ref": "s3://b/a.png",
        "split": "train",
        "bounding-box": {
            "image_size": [{"width": 500, "height": 400, "depth": 3}],
            "annotations": [{"class_id": 2, "left": 111, "top": 134, "width": 61, "height": 128}],
        },
        "bounding-box-metadata": {
            "objects": [{"confidence": 0.0}],
            "class-map": {"2": "cow"},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2018-10-12T18:16:13.527000",
            "job-name": "labeling-job/pets-1",
        },
    }


def test_an_image_without_an_object_is_a_negative_with_no_class():
    line = json.loads(output_line(a_job(), an_object(submitted("ann")), ended=0))
    assert line["bounding-box"]["annotations"] == []
    assert line["bounding-box-metadata"]["class-map"] == {}
    assert line["bounding-box-metadata"]["objects"] == []


@pytest.mark.parametrize("state", ["open", "expired"])
def test_an_unlabeled_line_has_no_label_but_says_why(state):
    line = json.loads(output_line(a_job(), an_object(state=state), ended=MOMENT))
    assert "bounding-box" not in line
    assert line["split"] == "train"
    reason = line["bounding-box-metadata"]["failure-reason"]
    assert ("declined" in reason) == (state == "expired")


def test_the_input_lines_text_is_kept_to_the_character():
    text = '{ "source-ref" : "s3://b/\\u00e4.png", "weight":1.50, "big":123456789012345678901234567890 }'
    line = output_line(a_job(), an_object(submitted("ann"), line=text), ended=0)
    assert line.startswith(text[:-1])
    assert json.loads(line)["big"] == 123456789012345678901234567890


def test_several_workers_answers_carry_how_sure_they_are():
    """Two drew it, one didn't: 2.5 x (0.95² + 0.05²) x 0.9² x 0.1 against 0.125 x 0.00375, odds of 391.

    Their label is right with 0.95² / (0.95² + 0.05²), the rest is that both are wrong.
    """
    found = an_object(
        submitted("ann", Box(0, 10, 10, 40, 40)),
        submitted("ben", Box(0, 10, 10, 40, 40), at=MOMENT + 1_000),
        submitted("cem", Box(1, 200, 10, 40, 40)),
    )
    line = json.loads(output_line(a_job(), found, ended=0))
    assert line["bounding-box-metadata"]["objects"] == [{"confidence": 0.9947}]
    assert line["bounding-box-metadata"]["creation-date"] == "2018-10-12T18:16:14.527000"


def test_worker_responses_are_what_ground_truth_documents():
    found = an_object(submitted("ann"), submitted("ben", at=MOMENT + 1_000))
    first, second = worker_response(found)["answers"]
    assert first == {
        "acceptanceTime": "2018-10-12T18:16:01.027Z",
        "answerContent": {"boundingBox": {"boundingBoxes": 0}},
        "submissionTime": "2018-10-12T18:16:13.527Z",
        "timeSpentInSeconds": 12.5,
        "workerId": "ann",
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
                "sub": "sub-ann",
            }
        },
    }
    assert second["workerId"] == "ben"
    assert worker_response_key(found) == "annotations/worker-response/iteration-1/7/2018-10-12_18:16:14.json"


def test_the_consolidated_annotation_is_the_lines_addition():
    found = an_object(submitted("ann", Box(2, 1, 2, 3, 4)))
    line = json.loads(output_line(a_job(), found, ended=0))
    entry = consolidation_entry(a_job(), found)
    assert entry["datasetObjectId"] == "7"
    assert entry["consolidatedAnnotation"]["content"] == {
        name: line[name] for name in ("bounding-box", "bounding-box-metadata")
    }


def test_counters_add_up_to_the_objects():
    counters = Counters(labeled=2, expired=1, answers=5)
    assert label_counters(a_job(), counters) == {
        "TotalLabeled": 2,
        "HumanLabeled": 2,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 1,
        "Unlabeled": 1,
    }
    listed = workteam_summary(a_job(), counters, "111122223333")["LabelCounters"]
    assert listed == {"HumanLabeled": 2, "PendingHuman": 1, "Total": 4}


def with_conditions(**conditions):
    return a_job(request=a_request(StoppingConditions=conditions))


@pytest.mark.parametrize(
    ("job", "counters", "outcome"),
    [
        (a_job(), Counters(labeled=3), ""),
        (a_job(), Counters(labeled=3, expired=1), "Completed"),
        (with_conditions(MaxHumanLabeledObjectCount=2), Counters(labeled=1), ""),
        (with_conditions(MaxHumanLabeledObjectCount=2), Counters(labeled=2), "Stopped"),
        (with_conditions(MaxPercentageOfInputDatasetLabeled=50), Counters(labeled=1, expired=1), ""),
        (with_conditions(MaxPercentageOfInputDatasetLabeled=50), Counters(labeled=2), "Stopped"),
    ],
)
def test_a_job_ends_when_all_is_done_or_a_stopping_condition_holds(job, counters, outcome):
    assert enough(job, counters, now=0) == outcome


def test_its_description_keeps_what_was_asked_and_names_the_output_only_once_it_is_there():
    going = describe(a_job(status="InProgress"), Counters(), {"team": "pets"})
    assert {name: going[name] for name in a_request()} == a_request(LabelingJobName="pets-1")
    assert going["Tags"] == [{"Key": "team", "Value": "pets"}]
    assert "LabelingJobOutput" not in going
    assert "FailureReason" not in going
    assert "LabelingJobOutput" not in describe(a_job(status="Stopped", objects=0), Counters(), {})
    done = describe(a_job(status="Completed", written=4), Counters(), {})
    uri = "s3://bucket/out/pets-1/manifests/output/output.manifest"
    assert done["LabelingJobOutput"] == {"OutputDatasetS3Uri": uri}
    assert (
        summary(a_job(status="Stopped", written=4), Counters())["LabelingJobOutput"]["OutputDatasetS3Uri"]
        == uri
    )


def test_a_long_failure_reason_is_cut_to_what_the_protocol_takes():
    failed = a_job(status="Failed", reason="x" * 5_000)
    assert len(describe(failed, Counters(), {})["FailureReason"]) == 1_024


def test_the_event_is_ground_truths_but_for_its_source():
    assert state_change(a_job(status="Stopped")) == {
        "Source": "truthmill.labeling",
        "DetailType": "SageMaker Ground Truth Labeling Job State Change",
        "Resources": ["arn:aws:sagemaker:us-east-1:111122223333:labeling-job/pets-1"],
        "Detail": '{"LabelingJobStatus":"Stopped"}',
    }


def test_tasks_run_out_after_the_lifetime_asked_for_or_thirty_days():
    assert a_job().deadline == 1_000_000 + 30 * 86_400_000
    hour = a_request(**{"HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": 3_600})
    assert a_job(request=hour).deadline == 1_000_000 + 3_600_000


@pytest.mark.parametrize(("objects", "shards"), [(1, 1), (127, 1), (128, 2), (1_024, 16), (100_000, 16)])
def test_a_large_job_is_spread_over_more_queues(objects, shards):
    assert shards_for(objects) == shards
