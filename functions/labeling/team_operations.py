"""The operations on work teams, workforce and tags. Each takes a request whose shape has been checked."""

from collections.abc import Sequence
from typing import Any

from labeling.service import Service
from truthmill import labeling_jobs, labeling_protocol, labeling_rules, quality_rules
from truthmill.errors import ProtocolError
from truthmill.labeling_jobs import ENDED
from truthmill.labeling_protocol import validation_error

KEPT = ("Description", "MemberDefinitions", "NotificationConfiguration")
MAX_TAGS = 50


def create_workteam(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    _check_members(request["MemberDefinitions"])
    labeling_rules.check_tags(request.get("Tags", []))
    name, now = request["WorkteamName"], service.now()
    arn = labeling_jobs.workteam_arn(service.region, service.account, name)
    kept = {member: request[member] for member in KEPT if member in request}
    if not service.teams.create(name, {**kept, "created": now, "modified": now}):
        raise ProtocolError("ResourceInUse", f"Work team {name!r} exists already.")
    if request.get("Tags"):
        service.jobs.set_tags(arn, {tag["Key"]: tag["Value"] for tag in request["Tags"]})
    return {"WorkteamArn": arn}


def describe_workteam(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    return {"Workteam": _describe(service, find(service, request["WorkteamName"]))}


def list_workteams(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    contains = request.get("NameContains", "").lower()
    entries = (
        {"Name": team["sk"], "CreateDate": team["created"] / 1000, "team": team}
        for team in service.teams.all()
        if contains in team["sk"].lower()
    )
    chosen, token = labeling_protocol.page("ListWorkteams", entries, request, "CreateDate")
    teams = [_describe(service, entry["team"]) for entry in chosen]
    return {"Workteams": teams, **({"NextToken": token} if token else {})}


def update_workteam(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    _check_members(request.get("MemberDefinitions", ()))
    team = find(service, request["WorkteamName"])
    team |= {member: request[member] for member in KEPT if member in request}
    team["modified"] = service.now()
    service.teams.replace(request["WorkteamName"], team)
    return {"Workteam": _describe(service, team)}


def delete_workteam(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """A team with jobs under way stays: its jobs would wait for nobody."""
    name = request["WorkteamName"]
    find(service, name)
    arn = labeling_jobs.workteam_arn(service.region, service.account, name)
    busy = next(
        (job.name for job in service.jobs.all() if job.team_arn == arn and job.status not in ENDED), None
    )
    if busy:
        raise ProtocolError(
            "ResourceInUse", f"Work team {name!r} has labeling job {busy!r} under way; stop it first."
        )
    service.teams.delete(name)
    service.jobs.set_tags(arn, {})
    return {"Success": True}


def describe_workforce(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    if request["WorkforceName"] != labeling_jobs.WORKFORCE:
        raise validation_error(
            f"There is no workforce {request['WorkforceName']!r}; this service has one, "
            f"{labeling_jobs.WORKFORCE!r}: its user pool."
        )
    return {"Workforce": _workforce(service)}


def list_workforces(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """The one there is. It is as old as the stack, which the service doesn't know: by no order a second."""
    if "NextToken" in request:
        raise validation_error("Invalid NextToken: the service's one workforce is on the first page.")
    wanted = request.get("NameContains", "").lower() in labeling_jobs.WORKFORCE
    return {"Workforces": [_workforce(service)] if wanted else []}


def _workforce(service: Service) -> dict[str, Any]:
    from adapters.accounts import accounts

    pool = accounts()
    return {
        "WorkforceName": labeling_jobs.WORKFORCE,
        "WorkforceArn": labeling_jobs.workforce_arn(service.region, service.account),
        "CognitoConfig": {"UserPool": pool.pool, "ClientId": pool.client_id},
        "SubDomain": service.portal,
        "Status": "Active",
    }


def add_tags(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    arn = _existing(service, request["ResourceArn"])
    labeling_rules.check_tags(request["Tags"])
    tags = service.jobs.tags(arn) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    if len(tags) > MAX_TAGS:
        raise ProtocolError(
            "ResourceLimitExceeded", f"{arn} would have {len(tags)} tags; at most {MAX_TAGS}."
        )
    _set_tags(service, arn, tags)
    return {"Tags": labeling_jobs.tag_list(tags)}


def _set_tags(service: Service, arn: str, tags: dict[str, str]) -> None:
    """Keep the tags; what a job's tags ask for holds from now on. Raises ProtocolError."""
    from adapters.functions import invoke_start

    rules = quality_rules.from_tags(tags)
    job = next((job for job in service.jobs.all() if job.arn == arn), None)
    if job is not None and bool(job.rules.max_answers) != bool(rules.max_answers):
        raise validation_error(
            f"Tag {quality_rules.PREFIX}max-answers is given when a labeling job is made, since its answers "
            "are counted from then on; it can be changed, but neither be added nor taken away."
        )
    service.jobs.set_tags(arn, tags)
    if job is None or job.rules == rules:
        return
    changed = service.jobs.update(job.name, rules=rules)
    if changed.status == "InProgress" and rules.gold_manifest not in ("", changed.gold_from):
        invoke_start(job.name)


def delete_tags(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    arn = _existing(service, request["ResourceArn"])
    left = {key: value for key, value in service.jobs.tags(arn).items() if key not in request["TagKeys"]}
    _set_tags(service, arn, left)
    return {}


def list_tags(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """At most 50 tags, which is the smallest page there is; so there is one page."""
    if "NextToken" in request:
        raise validation_error("Invalid NextToken: all tags of a resource are on its first page.")
    return {"Tags": labeling_jobs.tag_list(service.jobs.tags(_existing(service, request["ResourceArn"])))}


def find(service: Service, name: str) -> dict[str, Any]:
    """Raises ProtocolError: DescribeWorkteam's documented answer is a ValidationException."""
    team = service.teams.get(name)
    if team is None:
        raise validation_error(f"There is no work team {name!r}.")
    return team


def _describe(service: Service, team: dict[str, Any]) -> dict[str, Any]:
    return {
        **{member: team[member] for member in KEPT if member in team},
        "WorkteamName": team["sk"],
        "WorkteamArn": labeling_jobs.workteam_arn(service.region, service.account, team["sk"]),
        "WorkforceArn": labeling_jobs.workforce_arn(service.region, service.account),
        "SubDomain": service.portal,
        "CreateDate": team["created"] / 1000,
        "LastUpdatedDate": team["modified"] / 1000,
    }


def _check_members(definitions: Sequence[dict[str, Any]]) -> None:
    from adapters.accounts import accounts

    pool = accounts()
    labeling_rules.check_members(definitions, pool.pool, pool.client_id)
    for number, definition in enumerate(definitions, start=1):
        group = definition["CognitoMemberDefinition"]["UserGroup"]
        if not pool.has_group(group):
            raise validation_error(
                f"MemberDefinitions.{number}: the user pool has no group {group!r}; make it first."
            )


def _existing(service: Service, arn: str) -> str:
    """The ARN of a job or team that is there. Raises ProtocolError (ResourceNotFound)."""
    name = arn.rsplit("/", 1)[-1]
    team = arn == labeling_jobs.workteam_arn(service.region, service.account, name)
    if team and service.teams.get(name) is not None:
        return arn
    job = service.jobs.get(name)
    if job is not None and job.arn == arn:
        return arn
    raise ProtocolError("ResourceNotFound", f"There is no {arn!r} here.")
