"""Every member of every request that the labeling service takes, and what becomes of it.

The one place that says so: the service refuses by it, docs/protocol.md is made of it, and a test walks
botocore's model against it, so that no member of a newer model can be ignored in silence. Paths are the
members' names joined by dots, `[]` after a list; a structure's path covers what is below it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from truthmill.labeling_protocol import validation_error


class Treatment(NamedTuple):
    """kind: "acts" changes what is done, "kept" is shown again, "refused" is an error with the reason."""

    kind: Literal["acts", "kept", "refused"]
    sentence: str


def _acts(sentence: str) -> Treatment:
    return Treatment("acts", sentence)


def _kept(sentence: str) -> Treatment:
    return Treatment("kept", sentence)


def _refused(sentence: str) -> Treatment:
    return Treatment("refused", sentence)


Members = Mapping[str, Treatment]

_NAME = _acts("which one is meant; upper and lower case of a labeling job are the same")
_TAGS: Members = {
    "Tags[].Key": _acts(
        "kept with the resource: AddTags, DeleteTags and ListTags work on it; once, not beginning with aws:"
    ),
    "Tags[].Value": _acts("kept with its key"),
}
_PAGING: Members = {
    "MaxResults": _acts("entries of a page; 10 where it is missing"),
    "NextToken": _acts(
        "goes on after the page that gave it, whatever came or went in between; any other is an error, also "
        "one of a list with other filters or another order"
    ),
    "SortOrder": _acts("Ascending where it is missing"),
}
_CREATED: Members = {
    "CreationTimeAfter": _acts("later than that"),
    "CreationTimeBefore": _acts("earlier than that"),
}
_TEAM: Members = {
    "WorkteamName": _acts("the team's name"),
    "Description": _kept("described again"),
    "MemberDefinitions[].CognitoMemberDefinition.UserPool": _acts("must be the service's own user pool"),
    "MemberDefinitions[].CognitoMemberDefinition.UserGroup": _acts(
        "must be there; who is in it now is in the team"
    ),
    "MemberDefinitions[].CognitoMemberDefinition.ClientId": _acts(
        "must be the client of that pool by which the portal signs in"
    ),
    "MemberDefinitions[].OidcMemberDefinition": _refused(
        "workers sign in by Cognito; give a CognitoMemberDefinition."
    ),
    "NotificationConfiguration.NotificationTopicArn": _refused(
        "workers aren't notified by this service; leave it out."
    ),
    "WorkerAccessConfiguration": _refused(
        "links to pictures are bound to their lifetime of 15 minutes only; leave it out."
    ),
}

MEMBERS: Mapping[str, Members] = {
    "CreateLabelingJob": {
        "LabelingJobName": _acts("the job's name, used once; upper and lower case are the same name"),
        "LabelAttributeName": _acts("the attribute that the job adds; no line of its manifest may have it"),
        "InputConfig.DataSource.S3DataSource.ManifestS3Uri": _acts(
            "read when the job starts; a line that can't be used fails the job"
        ),
        "InputConfig.DataSource.SnsDataSource": _refused(
            "streaming jobs are not offered; this service reads a manifest from S3 (S3DataSource)."
        ),
        "InputConfig.DataAttributes.ContentClassifiers[]": _kept(
            "described again; they restrict Mechanical Turk's workers only, of whom there are none"
        ),
        "OutputConfig.S3OutputPath": _acts(
            "results are written below it, under the job's name; it lies in the stack's DataBucket"
        ),
        "OutputConfig.KmsKeyId": _acts(
            "every result is encrypted by it; must be the key of the stack's parameter OutputKmsKeyArn"
        ),
        "OutputConfig.SnsTopicArn": _refused(
            "messages on every answer belong to streaming jobs, which are not offered; leave it out."
        ),
        "RoleArn": _kept(
            "described again, and given to custom functions; reading and writing is done by the service's "
            "own roles"
        ),
        "LabelCategoryConfigS3Uri": _acts(
            "read and checked when the job starts; only a job of custom functions may do without"
        ),
        "StoppingConditions.MaxHumanLabeledObjectCount": _acts("as many labeled objects end it as Stopped"),
        "StoppingConditions.MaxPercentageOfInputDatasetLabeled": _acts(
            "that share of its objects labeled ends it as Stopped"
        ),
        "LabelingJobAlgorithmsConfig": _refused("automated labeling is not offered; leave it out."),
        "HumanTaskConfig.WorkteamArn": _acts("a work team of this service, whose workers get the tasks"),
        "HumanTaskConfig.UiConfig.UiTemplateS3Uri": _acts("read when the job starts; the tasks' page"),
        "HumanTaskConfig.UiConfig.HumanTaskUiArn": _refused(
            "it names a page for text, video or point clouds; give UiTemplateS3Uri."
        ),
        "HumanTaskConfig.PreHumanTaskLambdaArn": _acts(
            "a built-in of boxes, or a function of your own that makes each object's task.input"
        ),
        "HumanTaskConfig.TaskKeywords[]": _kept("described again, and shown to workers"),
        "HumanTaskConfig.TaskTitle": _acts("shown to workers"),
        "HumanTaskConfig.TaskDescription": _acts("shown to workers"),
        "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": _acts("answers that an object gets, 1 to 9"),
        "HumanTaskConfig.TaskTimeLimitInSeconds": _acts(
            "how long a task is a worker's; then it is offered to others. At most 28,800"
        ),
        "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": _acts(
            "objects that aren't labeled so long after the job was made expire; 30 days where it is "
            "missing, and at the most"
        ),
        "HumanTaskConfig.MaxConcurrentTaskCount": _acts(
            "as many objects are open to workers at once, in the manifest's order; 1,000 where it is missing"
        ),
        "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn": _acts(
            "the built-in that belongs to the other one, or a function of your own that makes the labels"
        ),
        "HumanTaskConfig.PublicWorkforceTaskPrice": _refused(
            "only Mechanical Turk's workers are paid by the task, and this service has none; leave it out."
        ),
        **_TAGS,
    },
    "DescribeLabelingJob": {"LabelingJobName": _NAME},
    "StopLabelingJob": {"LabelingJobName": _NAME},
    "ListLabelingJobs": {
        **_CREATED,
        "LastModifiedTimeAfter": _acts("later than that"),
        "LastModifiedTimeBefore": _acts("earlier than that"),
        **_PAGING,
        "NameContains": _acts("part of the name, in upper or lower case"),
        "SortBy": _acts("CreationTime where it is missing"),
        "StatusEquals": _acts("jobs of that status"),
    },
    "ListLabelingJobsForWorkteam": {
        "WorkteamArn": _acts("jobs of that team"),
        **_CREATED,
        **_PAGING,
        "JobReferenceCodeContains": _acts("part of the reference code"),
        "SortBy": _acts("CreationTime, the only order there is"),
    },
    "RenderUiTemplate": {
        "UiTemplate.Content": _acts("the template that is rendered"),
        "Task.Input": _acts("what the template finds under task.input"),
        "RoleArn": _kept("checked for its form; pictures are read by the service's own role"),
        "HumanTaskUiArn": _refused("it names a page of Ground Truth's own; give UiTemplate.Content."),
    },
    "CreateWorkteam": {
        **_TEAM,
        **_TAGS,
        "WorkforceName": _refused("the service has one workforce, its user pool; leave it out."),
    },
    "DescribeWorkteam": {"WorkteamName": _acts("which team is meant")},
    "ListWorkteams": {
        **_PAGING,
        "NameContains": _acts("part of the name, in upper or lower case"),
        "SortBy": _acts("CreateDate where it is missing"),
    },
    "UpdateWorkteam": _TEAM,
    "DeleteWorkteam": {
        "WorkteamName": _acts("a team with jobs under way stays, as ResourceInUse"),
    },
    "DescribeWorkforce": {"WorkforceName": _acts("default, the service's one workforce: its user pool")},
    "ListWorkforces": {
        "SortBy": _acts("by either there is one to list"),
        "SortOrder": _acts("in either there is one to list"),
        "NameContains": _acts("part of the name, in upper or lower case"),
        "NextToken": _acts("an error, since there never is a second page"),
        "MaxResults": _acts("at least 1, which is all there are"),
    },
    "AddTags": {"ResourceArn": _acts("a labeling job or a work team of the service"), **_TAGS},
    "DeleteTags": {
        "ResourceArn": _acts("a labeling job or a work team of the service"),
        "TagKeys[]": _acts("tags of these keys go"),
    },
    "ListTags": {
        "ResourceArn": _acts("a labeling job or a work team of the service"),
        "MaxResults": _acts("at least 50; a resource has at most 50 tags, so there is one page"),
        "NextToken": _acts("an error, since there never is a second page"),
    },
}


def refuse_members(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ProtocolError (ValidationException) for a member that the service doesn't take."""
    for path, treatment in MEMBERS[operation].items():
        if treatment.kind == "refused" and next(_found(request, path.split(".")), None) is not None:
            raise validation_error(f"{path}: {treatment.sentence}")


def _found(value: Any, path: list[str]) -> Iterator[Any]:
    """Values at a path; a list's members each."""
    if not path:
        yield value
        return
    name = path[0].removesuffix("[]")
    inner = value.get(name) if isinstance(value, Mapping) else None
    if inner is None:
        return
    for each in inner if path[0].endswith("[]") else [inner]:
        yield from _found(each, path[1:])
