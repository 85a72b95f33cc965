"""SageMaker's protocol by boto3's own client, which parses every answer by botocore's model."""

import io

import pytest
import urllib3
from botocore.exceptions import ClientError

from labeling_builders import a_request


def refused(code):
    return pytest.raises(ClientError, check=lambda error: error.response["Error"]["Code"] == code)


def test_a_job_is_described_as_it_was_asked_for(team):
    name = team.create_job(2, Tags=[{"Key": "dataset", "Value": "pets"}])
    found = team.wait_for(name, "InProgress")
    assert found["LabelingJobArn"] == f"arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{name}"
    assert found["LabelCounters"] == {
        "TotalLabeled": 0,
        "HumanLabeled": 0,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 2,
    }
    assert found["HumanTaskConfig"]["WorkteamArn"] == team.arn
    assert found["Tags"] == [{"Key": "dataset", "Value": "pets"}]
    assert found["LastModifiedTime"] >= found["CreationTime"]
    assert "LabelingJobOutput" not in found


def test_a_name_is_used_once(team):
    name = team.running_job()
    with refused("ResourceInUse"):
        team.create_job(LabelingJobName=name)


def test_a_job_that_is_not_there(stack):
    for operation in (stack.sagemaker.describe_labeling_job, stack.sagemaker.stop_labeling_job):
        with refused("ResourceNotFound"):
            operation(LabelingJobName="nobody-made-this")


def test_what_botocore_lets_through_the_service_refuses(stack, team):
    """Patterns, enums and the documented rules; nothing is created."""
    for path, value in {
        "LabelingJobName": "under_score",
        "LabelAttributeName": "box-metadata",
        "HumanTaskConfig.TaskTimeLimitInSeconds": 28_801,
        "HumanTaskConfig.WorkteamArn": team.arn + "-of-others",
    }.items():
        with refused("ValidationException"):
            stack.sagemaker.create_labeling_job(
                **a_request(
                    **{
                        "LabelingJobName": "refused",
                        "HumanTaskConfig.WorkteamArn": team.arn,
                        "OutputConfig.S3OutputPath": f"s3://{stack.bucket}/refused",
                        path: value,
                    }
                )
            )
    with refused("ResourceNotFound"):
        stack.sagemaker.describe_labeling_job(LabelingJobName="refused")


def test_an_unsigned_request_is_refused(stack):
    url = stack.local(stack.outputs["ControlUrl"])
    answer = urllib3.request("POST", url, body=b"{}", headers={"x-amz-target": "SageMaker.ListLabelingJobs"})
    assert answer.status == 403


def test_a_body_that_is_nested_deeply_is_refused_in_the_protocols_words(stack):
    client = stack.sagemaker

    def nest(params, **_):
        params["body"] = b'{"NameContains": ' + b"[" * 100_000

    client.meta.events.register("before-call.sagemaker.ListLabelingJobs", nest)
    with refused("SerializationException"):
        client.list_labeling_jobs()


def test_results_for_a_bucket_that_the_service_cannot_write_to_are_refused_at_once(stack, team):
    """Else the job could never end: what workers did would be stuck."""
    with pytest.raises(ClientError, match=f"this service writes to '{stack.bucket}' only"):
        team.create_job(1, **{"OutputConfig.S3OutputPath": "s3://somebody-elses-bucket/out"})


def test_an_operation_that_is_not_offered_says_so(stack):
    with refused("UnknownOperationException"):
        stack.sagemaker.list_models()


def test_jobs_are_listed_page_by_page_filtered_and_sorted(stack, team):
    names = [team.create_job(1, LabelingJobName=f"list-{team.name}-{letter}") for letter in "bca"]
    listed = stack.sagemaker.get_paginator("list_labeling_jobs")

    def found(**filters):
        pages = listed.paginate(NameContains=f"LIST-{team.name}", MaxResults=2, **filters)
        return [entry["LabelingJobName"] for page in pages for entry in page["LabelingJobSummaryList"]]

    assert found(SortBy="Name") == sorted(names)
    assert found(SortBy="CreationTime", SortOrder="Descending") == names[::-1]
    for name in names:
        team.wait_for(name, "InProgress")
    assert sorted(found(StatusEquals="InProgress")) == sorted(names)
    assert found(StatusEquals="Failed") == []
    created = stack.sagemaker.describe_labeling_job(LabelingJobName=names[1])["CreationTime"]
    assert found(SortBy="Name", CreationTimeAfter=created) == [names[2]]


def test_jobs_of_a_team(stack, team):
    name = team.running_job(3)
    answer = stack.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=team.arn)
    (entry,) = answer["LabelingJobSummaryList"]
    assert entry["LabelingJobName"] == name
    assert entry["LabelCounters"] == {"HumanLabeled": 0, "PendingHuman": 3, "Total": 3}
    assert entry["WorkRequesterAccountId"] == "000000000000"
    with refused("ResourceNotFound"):
        stack.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=team.arn + "-of-others")


def test_a_teams_life(stack, team):
    described = stack.sagemaker.describe_workteam(WorkteamName=team.name)["Workteam"]
    assert (described["WorkteamArn"], described["Description"]) == (team.arn, "A team of the tests")
    with refused("ResourceInUse"):
        stack.sagemaker.create_workteam(
            WorkteamName=team.name, Description="again", MemberDefinitions=described["MemberDefinitions"]
        )
    updated = stack.sagemaker.update_workteam(WorkteamName=team.name, Description="Renamed")["Workteam"]
    assert (updated["Description"], updated["MemberDefinitions"]) == (
        "Renamed",
        described["MemberDefinitions"],
    )
    listed = stack.sagemaker.list_workteams(NameContains=team.name)["Workteams"]
    assert [each["WorkteamName"] for each in listed] == [team.name]
    assert stack.sagemaker.delete_workteam(WorkteamName=team.name)["Success"] is True
    with refused("ValidationException"):
        stack.sagemaker.describe_workteam(WorkteamName=team.name)


def test_a_team_with_a_job_under_way_stays(stack, team):
    team.running_job()
    with refused("ResourceInUse"):
        stack.sagemaker.delete_workteam(WorkteamName=team.name)


@pytest.mark.parametrize("changes", [{"UserGroup": "nobody"}, {"ClientId": "c"}, {"UserPool": "us-east-1_o"}])
def test_a_team_of_a_group_or_a_client_that_is_not_there_is_refused(stack, team, changes):
    described = stack.sagemaker.describe_workteam(WorkteamName=team.name)["Workteam"]
    member = described["MemberDefinitions"][0]["CognitoMemberDefinition"] | changes
    with refused("ValidationException"):
        stack.sagemaker.create_workteam(
            WorkteamName="t", Description="d", MemberDefinitions=[{"CognitoMemberDefinition": member}]
        )


def test_tags_come_and_go(stack, team):
    stack.sagemaker.add_tags(
        ResourceArn=team.arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    )
    stack.sagemaker.delete_tags(ResourceArn=team.arn, TagKeys=["a"])
    assert stack.sagemaker.list_tags(ResourceArn=team.arn)["Tags"] == [{"Key": "b", "Value": ""}]
    with refused("ResourceNotFound"):
        stack.sagemaker.list_tags(ResourceArn=team.arn + "-of-others")


def test_a_template_is_rendered_before_there_is_a_job(stack):
    picture = stack.put("render/a.png", b"the picture's bytes")
    role = "arn:aws:iam::000000000000:role/labeling"
    content = '<crowd-form></crowd-form><img src="{{ task.input.taskObject | grant_read_access }}">'
    answer = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": content}, Task={"Input": f'{{"taskObject": "{picture}"}}'}, RoleArn=role
    )
    assert answer["Errors"] == []
    link = answer["RenderedContent"].rpartition('<img src="')[2].removesuffix('">').replace("&amp;", "&")
    assert io.BytesIO(urllib3.request("GET", link).data).read() == b"the picture's bytes"
    broken = stack.sagemaker.render_ui_template(
        UiTemplate={"Content": "a\n{{ x | nope }}"}, Task={"Input": "{}"}, RoleArn=role
    )
    assert "Line 2, column 8" in broken["Errors"][0]["Message"]
