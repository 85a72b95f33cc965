"""SageMaker's labeling operations on a function URL: JSON 1.1, the operation in `X-Amz-Target`."""

import base64
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from adapters.table import table
from labeling import job_operations, team_operations
from labeling.observed import logger, observed
from labeling.service import Service
from truthmill import labeling_members, labeling_protocol
from truthmill.errors import ProtocolError
from truthmill.shallow_json import decode_object

TARGET = "SageMaker."
CONTENT_TYPE = "application/x-amz-json-1.1"

OPERATIONS: dict[str, Callable[[Service, dict[str, Any]], dict[str, Any]]] = {
    "CreateLabelingJob": job_operations.create_labeling_job,
    "DescribeLabelingJob": job_operations.describe_labeling_job,
    "StopLabelingJob": job_operations.stop_labeling_job,
    "ListLabelingJobs": job_operations.list_labeling_jobs,
    "ListLabelingJobsForWorkteam": job_operations.list_labeling_jobs_for_workteam,
    "RenderUiTemplate": job_operations.render_ui_template,
    "CreateWorkteam": team_operations.create_workteam,
    "DescribeWorkteam": team_operations.describe_workteam,
    "ListWorkteams": team_operations.list_workteams,
    "UpdateWorkteam": team_operations.update_workteam,
    "DeleteWorkteam": team_operations.delete_workteam,
    "DescribeWorkforce": team_operations.describe_workforce,
    "ListWorkforces": team_operations.list_workforces,
    "AddTags": team_operations.add_tags,
    "DeleteTags": team_operations.delete_tags,
    "ListTags": team_operations.list_tags,
}


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    account = context.invoked_function_arn.split(":")[4]
    request = event["requestContext"]["requestId"]
    try:
        answer = answer_to(Service.of(table(), account), event)
    except ProtocolError as error:
        logger.info("Refused", extra={"code": error.code, "reason": str(error)})
        return _response(error.status, {"__type": error.code, "Message": str(error)}, request)
    return _response(200, answer, request)


def answer_to(service: Service, event: dict[str, Any]) -> dict[str, Any]:
    """The operation's answer. Raises ProtocolError."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    name = headers.get("x-amz-target", "").removeprefix(TARGET)
    if name not in OPERATIONS:
        raise ProtocolError(
            "UnknownOperationException",
            f"This labeling service has no operation {name!r}; it has {', '.join(sorted(OPERATIONS))}.",
        )
    request = _body(event)
    model = _model()
    labeling_protocol.check(model["operations"][name]["input"]["shape"], request, model["shapes"])
    given = {key: value for key, value in request.items() if value is not None}
    labeling_members.refuse_members(name, given)
    logger.info("Asked", extra={"operation": name})
    return OPERATIONS[name](service, given)


def _body(event: dict[str, Any]) -> dict[str, Any]:
    body = event.get("body") or "{}"
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        return decode_object(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise ProtocolError("SerializationException", f"The body isn't a JSON object: {error}.") from error


@lru_cache(maxsize=1)
def _model() -> dict[str, Any]:
    """SageMaker's service model as the runtime's botocore brings it."""
    from botocore.loaders import Loader

    model: dict[str, Any] = Loader().load_service_model("sagemaker", "service-2")
    return model


def _response(status: int, document: dict[str, Any], request: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": CONTENT_TYPE, "x-amzn-requestid": request},
        "body": msgspec.json.encode(document).decode(),
    }
