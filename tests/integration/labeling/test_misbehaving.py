"""Workers that misbehave on purpose: refused with a sentence, and nothing breaks. Gold over the wire."""

import io
import json

import pytest
from PIL import Image

from adapters.jobs import Jobs
from adapters.table import Table
from labeling_builders import answer_of
from local_stack import wait_for
from truthmill.task_names import name_of, number_of
from truthmill_cli.simulation import Credentials, PortalClient, PortalRefusedError, read_element

TASKS = "api/jobs/{}/tasks"
NESTED = json.loads("[" * 300 + "]" * 300)


def take(worker, job, count=1):
    return worker.post(TASKS.format(job), {"count": count})["tasks"]


def give(worker, job, task, answer):
    return worker.post(f"{TASKS.format(job)}/{task}/answer", answer)


def refused(status, code, words="."):
    return pytest.raises(
        PortalRefusedError,
        match=words,
        check=lambda error: (error.status, error.code) == (status, code),
    )


@pytest.mark.parametrize(
    ("answer", "status", "code", "words"),
    [
        (answer_of(("cat", 190, 10, 20, 20)), 422, "AnswerInvalid", "inside the picture of 200 x 100"),
        (answer_of(("cat", -1, 10, 20, 20)), 422, "AnswerInvalid", "inside the picture"),
        (answer_of(("cat", 10, 10, 0, 20)), 422, "AnswerInvalid", "at least 1 pixel"),
        (answer_of(("cat", 10.5, 10, 20, 20)), 422, "AnswerInvalid", "whole pixels"),
        (answer_of(("cat", 1e300, 10, 20, 20)), 422, "AnswerInvalid", "whole pixels"),
        (answer_of(("cat", float("nan"), 10, 20, 20)), 400, "NotJson", "JSON"),
        (answer_of(("cat", float("inf"), 10, 20, 20)), 400, "NotJson", "JSON"),
        (answer_of(("cow", 10, 10, 20, 20)), 422, "AnswerInvalid", "the job's labels are 'cat', 'dog'"),
        (answer_of(("cat", 10, 10, 20, 20), width=400), 422, "AnswerInvalid", "the picture has 200 x 100"),
        (answer_of(*[("cat", 10, 10, 20, 20)] * 100_000), 413, "TooLarge", "at most"),
        (answer_of(*[("cat", 1, 1, 2, 2)] * 3_001), 422, "AnswerInvalid", "at most 3000"),
        ({"answer": {"boundingBox": {"boundingBoxes": "all of them"}}}, 422, "AnswerInvalid", "isn't valid"),
        ({"answer": None}, 422, "AnswerInvalid", "not an object"),
        ({"answer": [[[]]] * 1_000}, 422, "AnswerInvalid", "not an object"),
        ({"answer": answer_of()["answer"] | {"deep": NESTED}}, 400, "NotJson", "nested more than 100 deep"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_an_answer_that_is_none_is_refused_with_a_sentence_and_the_task_stays(
    team, answer, status, code, words
):
    worker, job = team.worker(), team.running_job(1)
    (task,) = take(worker, job)
    with refused(status, code, words):
        give(worker, job, task["task"], answer)
    assert [each["task"] for each in take(worker, job)] == [task["task"]]
    assert give(worker, job, task["task"], answer_of(("cat", 10, 10, 20, 20)))["accepted"]
    team.wait_for(job, "Completed")


ODD = {
    "": "x",
    "\0": "\0",
    "$a.b": {"": []},
    "huge": 10**50,
    "tiny": 5e-324,
    "deep": [[[[[[]]]]]],
    "💥": None,
}


def test_whatever_stands_beside_the_boxes_is_kept_and_the_job_ends(team):
    worker, job = team.worker(), team.running_job(1)
    (task,) = take(worker, job)
    given = {"answer": answer_of(("cat", 10, 10, 20, 20))["answer"] | ODD}
    assert give(worker, job, task["task"], given)["accepted"]
    team.wait_for(job, "Completed")


def test_what_was_never_handed_out_or_was_released_is_neither_answered_nor_declined(stack, team):
    """A program that knows every task's name passes no gold task by, and expires nothing."""
    ann, ben, job = team.worker(), team.worker(), team.running_job(3)
    (mine,) = take(ann, job)
    secret = Jobs(Table(stack.client("dynamodb"), stack.outputs["TableName"])).get(job).secret
    others = [name for name in (name_of(secret, number) for number in range(3)) if name != mine["task"]]
    ann.post(f"{TASKS.format(job)}/{mine['task']}/release", {})
    for worker, number in ((ann, others[0]), (ben, others[1]), (ann, mine["task"])):
        with refused(409, "NotHandedOut", "wasn't handed out to you"):
            give(worker, job, number, answer_of())
        with refused(409, "NotHandedOut", "wasn't handed out to you"):
            worker.post(f"{TASKS.format(job)}/{number}/decline", {"reason": "too dark"})
        with refused(404, "NotYours"):
            worker.post(f"{TASKS.format(job)}/{number}/extend", {})
    counters = stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelCounters"]
    assert (counters["HumanLabeled"], counters["FailedNonRetryableError"], counters["Unlabeled"]) == (0, 0, 3)
    assert len(take(ben, job)) == 1


def test_answers_to_others_tasks_replays_and_late_ones_are_counted_never_or_once(team):
    ann, ben, job = team.worker(), team.worker(), team.running_job(2)
    (anns,), (bens,) = take(ann, job), take(ben, job)
    with refused(409, "TaskTaken"):
        give(ben, job, anns["task"], answer_of())
    with refused(404, "NoSuchTask"):
        give(ann, job, "000077", answer_of())
    with refused(404, "NoSuchJob"):
        give(ann, "not-a-job", anns["task"], answer_of())
    first = answer_of(("cat", 10, 10, 20, 20))
    assert give(ann, job, anns["task"], first)["accepted"]
    assert give(ann, job, anns["task"], first)["accepted"]
    with refused(409, "AlreadyAnswered"):
        give(ann, job, anns["task"], answer_of())
    with refused(409, "TaskDone"):
        give(ben, job, anns["task"], answer_of())
    assert give(ben, job, bens["task"], answer_of())["accepted"]
    described = team.wait_for(job, "Completed")
    assert described["LabelCounters"]["HumanLabeled"] == 2
    with refused(409, "AlreadyAnswered"):
        give(ben, job, bens["task"], first)


def test_two_sessions_of_one_worker_are_one_worker(stack, team):
    """They hold the same task, and what both send counts once; where they differ the first one counts."""
    credentials = team.invite(f"twice-in-{team.name}@example.com")
    first = PortalClient(stack.portal)
    first.sign_in(credentials)
    second = PortalClient(stack.portal)
    second.sign_in(Credentials(credentials.email, credentials.password))
    job = team.running_job(2, **{"HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2})
    (task,) = take(first, job)
    assert [each["task"] for each in take(second, job)] == [task["task"]]
    assert give(first, job, task["task"], answer_of(("cat", 10, 10, 20, 20)))["accepted"]
    assert give(second, job, task["task"], answer_of(("cat", 10, 10, 20, 20)))["accepted"]
    with refused(409, "AlreadyAnswered"):
        give(second, job, task["task"], answer_of())
    (other,) = take(second, job)
    assert other["task"] != task["task"]
    give(second, job, other["task"], answer_of())
    assert take(first, job) == []  # the second answer of each has to be somebody else's
    counters = stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelCounters"]
    assert counters["HumanLabeled"] == 0


def gold_manifest(stack, name, pictures):
    """URI of a manifest with one dog each."""
    out, lines = io.BytesIO(), []
    Image.new("RGB", (200, 100), (200, 20, 30)).save(out, "PNG")
    for number in range(pictures):
        box = {"class_id": 0, "left": 20, "top": 20, "width": 60, "height": 60}
        line = {
            "source-ref": stack.put(f"{name}/known/{number}.png", out.getvalue()),
            "checked": {"image_size": [{"width": 200, "height": 100, "depth": 3}], "annotations": [box]},
            "checked-metadata": {
                "class-map": {"0": "dog"},
                "type": "groundtruth/object-detection",
                "objects": [{"confidence": 0.9}],
            },
        }
        lines.append(json.dumps(line) + "\n")
    return stack.put(f"{name}/gold.manifest", "".join(lines))


def test_gold_tasks_come_to_a_job_that_runs_and_leave_no_trace_in_its_output(stack, team):
    worker, job = team.worker(), team.running_job(12)
    described = stack.sagemaker.describe_labeling_job(LabelingJobName=job)
    tags = {"gold-manifest": gold_manifest(stack, job, 8), "gold-share": "0.7", "gold-feedback": "true"}
    stack.sagemaker.add_tags(
        ResourceArn=described["LabelingJobArn"],
        Tags=[{"Key": f"truthmill:{key}", "Value": value} for key, value in tags.items()],
    )
    wait_for_gold(stack, job)
    feedback, names = [], {True: set(), False: set()}
    while tasks := take(worker, job):
        (task,) = tasks
        assert read_element(worker.page(task["page"]))["name"] == "boundingBox"
        told = give(worker, job, task["task"], answer_of(("dog", 20, 20, 60, 60), ("cat", 120, 20, 60, 60)))
        feedback += [told["feedback"]] if "feedback" in told else []
        names["feedback" in told].add(task["task"])
    assert len(feedback) >= 2
    expected = [{"label": "dog", "left": 20, "top": 20, "width": 60, "height": 60}]
    assert feedback[0] == {"expected": expected, "found": 1, "drawn": 2, "score": 0.6667}
    kept = Jobs(Table(stack.client("dynamodb"), stack.outputs["TableName"])).get(job)
    assert {number_of(kept.secret, name) for name in names[False]} == set(range(12))
    assert {number_of(kept.secret, name) for name in names[True]} <= set(range(12, 20))
    described = team.wait_for(job, "Completed")
    assert kept.secret not in str(described)
    assert described["LabelCounters"]["TotalLabeled"] == 12
    text = stack.read(described["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode()
    assert len(text.splitlines()) == 12
    assert "known" not in text
    told = json.loads(stack.read(f"s3://{stack.bucket}/{job}/out/{job}/truthmill/workers.json"))
    (own,) = told["workers"]
    # The last gold task may be answered when the job's objects are done and its end is under way.
    assert own["goldTasks"] in (len(feedback) - 1, len(feedback))
    assert (told["answers"], own["goldScore"]) == (12 + own["goldTasks"], 0.6667)


def wait_for_gold(stack, job):
    """Until the pictures are in the table."""
    table, key = stack.client("dynamodb"), {"pk": {"S": "JOBS"}, "sk": {"S": job}}

    def pictures():
        item = table.get_item(TableName=stack.outputs["TableName"], Key=key, ConsistentRead=True)["Item"]
        return int(item["gold"]["N"])

    wait_for(pictures, f"gold of {job}")


def test_workers_who_disagree_have_one_more_asked(stack, team):
    workers = [team.worker() for _ in range(3)]
    tags = [{"Key": "truthmill:max-workers-per-object", "Value": "3"}]
    job = team.running_job(2, Tags=tags, **{"HumanTaskConfig.NumberOfHumanWorkersPerDataObject": 2})
    same, other = ("cat", 10, 10, 50, 50), ("dog", 120, 20, 60, 60)
    for number, worker in enumerate(workers[:2]):
        for task in take(worker, job, count=2):
            drawn = [same, other] if number and task["objectName"] == "1.png" else [same]
            give(worker, job, task["task"], answer_of(*drawn))
    assert stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobStatus"] == "InProgress"
    (task,) = take(workers[2], job, count=2)
    assert task["objectName"] == "1.png"
    give(workers[2], job, task["task"], answer_of(same, other))
    described = team.wait_for(job, "Completed")
    text = stack.read(described["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode()
    lines = map(json.loads, text.splitlines())
    boxes = {line["source-ref"][-5:]: len(line["bounding-box"]["annotations"]) for line in lines}
    assert boxes == {"0.png": 1, "1.png": 2}


def test_a_tag_that_cannot_be_meant_is_refused(stack, team):
    job = team.running_job(1)
    arn = stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobArn"]
    with pytest.raises(stack.sagemaker.exceptions.ClientError, match="from 0 to 1"):
        stack.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "truthmill:agreement", "Value": "high"}])
