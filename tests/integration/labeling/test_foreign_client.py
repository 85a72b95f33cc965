"""Somebody else's script: boto3's own `sagemaker` client, set up as docs/labeling-service.md says."""

import datetime as dt

import boto3
import pytest
from botocore.exceptions import ClientError

from integration.labeling.conftest import REGION

MILLISECOND = dt.timedelta(milliseconds=1)


def sign_for_function_url(request, **_):
    request.context.setdefault("signing", {})["signing_name"] = "lambda"


@pytest.fixture
def client(stack):
    made = boto3.client(
        "sagemaker", endpoint_url=stack.local(stack.outputs["ControlUrl"]), region_name=REGION
    )
    made.meta.events.register("before-sign.sagemaker.*", sign_for_function_url)
    return made


def refused(words):
    """A ValidationException, which SageMaker's model doesn't have as a class of its own."""
    return pytest.raises(
        ClientError, match=words, check=lambda error: error.response["Error"]["Code"] == "ValidationException"
    )


def names_of(page):
    return [entry["LabelingJobName"] for entry in page["LabelingJobSummaryList"]]


def test_every_job_is_listed_once_though_jobs_are_made_between_the_pages(client, team):
    prefix = f"pages-{team.name}"
    jobs = [team.create_job(1, LabelingJobName=f"{prefix}-{letter}") for letter in "dbfhceg"]
    orders = {
        ("Name", "Ascending"): sorted(jobs),
        ("Name", "Descending"): sorted(jobs, reverse=True),
        ("CreationTime", "Ascending"): jobs,
        ("CreationTime", "Descending"): jobs[::-1],
    }
    for number, ((sort_by, sort_order), expected) in enumerate(orders.items()):
        asked = {"NameContains": prefix, "SortBy": sort_by, "SortOrder": sort_order, "MaxResults": 3}
        page, found = client.list_labeling_jobs(**asked), []
        for letter in "az":
            team.create_job(1, LabelingJobName=f"{prefix}-{letter}{number}")
        pages = 1
        while True:
            found += names_of(page)
            if "NextToken" not in page:
                break
            page, pages = client.list_labeling_jobs(**asked, NextToken=page["NextToken"]), pages + 1
        assert pages >= 3
        assert len(found) == len(set(found))
        assert [name for name in found if name in jobs] == expected


def test_a_token_is_good_for_the_list_that_gave_it_only(client, team):
    for _ in range(2):
        team.create_job(1)
    asked = {"NameContains": team.name, "MaxResults": 1}
    token = client.list_labeling_jobs(**asked)["NextToken"]
    for other in (
        {"NameContains": "another"},
        {"NameContains": team.name, "StatusEquals": "Failed"},
        {"NameContains": team.name, "SortBy": "Status"},
        {"NameContains": team.name, "SortOrder": "Descending"},
    ):
        with refused("Invalid NextToken"):
            client.list_labeling_jobs(**other, NextToken=token)
    for operation in (client.list_workteams, client.list_workforces):
        with refused("Invalid NextToken"):
            operation(NextToken=token)
    with refused("Invalid NextToken"):
        client.list_labeling_jobs_for_workteam(WorkteamArn=team.arn, NextToken=token)
    with refused("Invalid NextToken"):
        client.list_labeling_jobs(**asked, NextToken="bm9uc2Vuc2U=")
    assert len(names_of(client.list_labeling_jobs(**asked | {"MaxResults": 5}, NextToken=token))) == 1


def test_jobs_are_found_by_when_they_were_made_and_changed_and_by_status(client, team):
    first, second = team.running_job(1), team.running_job(1)
    client.stop_labeling_job(LabelingJobName=first)
    team.wait_for(first, "Stopped")
    (one, two) = (client.describe_labeling_job(LabelingJobName=name) for name in (first, second))

    def found(**filters):
        return names_of(client.list_labeling_jobs(NameContains=team.name, SortBy="Name", **filters))

    assert found(StatusEquals="Stopped") == [first]
    assert found(StatusEquals="InProgress") == [second]
    assert found(CreationTimeBefore=two["CreationTime"]) == [first]
    assert found(CreationTimeAfter=one["CreationTime"]) == [second]
    assert found(LastModifiedTimeAfter=two["LastModifiedTime"]) == [first]
    assert found(LastModifiedTimeBefore=one["LastModifiedTime"]) == [second]
    around = {
        "CreationTimeAfter": two["CreationTime"] - MILLISECOND,
        "CreationTimeBefore": two["CreationTime"] + MILLISECOND,
    }
    assert found(**around) == [second]
    by_status = client.list_labeling_jobs(NameContains=team.name, SortBy="Status", SortOrder="Descending")
    assert names_of(by_status) == [first, second]
    with refused("CreationTimeAfter is later"):
        found(CreationTimeAfter=two["CreationTime"], CreationTimeBefore=one["CreationTime"])


def test_stopping_twice_and_stopping_what_has_ended_change_nothing(client, team):
    job = team.running_job(2)
    for _ in range(2):
        client.stop_labeling_job(LabelingJobName=job)
    ended = team.wait_for(job, "Stopped")
    client.stop_labeling_job(LabelingJobName=job)
    again = client.describe_labeling_job(LabelingJobName=job)
    for member in ("LabelingJobStatus", "LastModifiedTime", "LabelCounters", "LabelingJobOutput"):
        assert again[member] == ended[member]


def test_errors_are_the_clients_own_exceptions(client, team):
    job = team.create_job(1)
    arn = f"arn:aws:sagemaker:{REGION}:000000000000:labeling-job/{job}"
    with pytest.raises(client.exceptions.ResourceInUse, match="exists already"):
        team.create_job(1, LabelingJobName=job)
    with pytest.raises(client.exceptions.ResourceNotFound, match="no labeling job 'none'"):
        client.describe_labeling_job(LabelingJobName="none")
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.stop_labeling_job(LabelingJobName="none")
    client.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    with pytest.raises(client.exceptions.ResourceLimitExceeded, match="at most 50"):
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
    assert len(client.list_tags(ResourceArn=arn)["Tags"]) == 50
    with refused("aws:"):
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "AWS:mine", "Value": ""}])
    with refused("more than once"):
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "k1", "Value": "a"}, {"Key": "k1", "Value": "b"}])
    client.delete_tags(ResourceArn=arn, TagKeys=[f"k{number}" for number in range(1, 50)] + ["no such key"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k0", "Value": ""}]


def test_the_service_has_one_workforce_whose_teams_name_the_portal(client, stack, team):
    (listed,) = client.list_workforces()["Workforces"]
    assert listed == client.describe_workforce(WorkforceName="default")["Workforce"]
    arn = f"arn:aws:sagemaker:{REGION}:000000000000:workforce/private-crowd/default"
    assert (listed["WorkforceName"], listed["WorkforceArn"]) == ("default", arn)
    outputs = stack.outputs
    assert listed["CognitoConfig"] == {
        "UserPool": outputs["UserPoolId"],
        "ClientId": outputs["UserPoolClientId"],
    }
    described = client.describe_workteam(WorkteamName=team.name)["Workteam"]
    assert described["WorkforceArn"] == arn
    identifier = outputs["PortalUrl"].split("//")[1].split(".")[0]
    assert described["SubDomain"].startswith(f"{identifier}.lambda-url.{REGION}.")
    assert "/" not in described["SubDomain"]
    assert client.list_workforces(NameContains="another")["Workforces"] == []
    with refused("no workforce 'another'"):
        client.describe_workforce(WorkforceName="another")
