"""Ground Truth's documented limits and rules, as far as a request of ours can break them.

Sources: CreateLabelingJob in the SageMaker API reference, and Ground Truth's guide. Truthmill's own service
takes the numbers from here too.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from truthmill.pricing import GROUND_TRUTH

if TYPE_CHECKING:
    from truthmill.request import Request, Workforce

DAY_S = 86_400
MAX_LABELS = 50  # through the API; quotas for bounding boxes
MAX_OBJECTS = 100_000  # of a job with bounding boxes; input data quotas
MAX_TIME_LIMIT_S = 28_800  # for image and text tasks: 8 hours
MAX_AVAILABILITY_S = 30 * DAY_S
MAX_PUBLIC_AVAILABILITY_S = DAY_S // 2  # of Mechanical Turk
MAX_CONCURRENT_TASKS = 5_000
DEFAULT_CONCURRENT_TASKS = 1_000
MAX_TAGS = 50
OWN_TAGS = 2  # which the pipeline adds
CLASSIFIERS = ("FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent")

PUBLIC_TEAM = "arn:aws:sagemaker:{region}:394669845002:workteam/public-crowd/default"
CROWDS = {"private": "private-crowd", "vendor": "vendor-crowd", "mechanical-turk": "public-crowd"}

_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9-_.]+(:[a-zA-Z0-9-_$]+)?"
)
_TEAM = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:workteam/([a-z-]+)/(.+)")
# What SageMaker's model takes of texts: keywords of ASCII, a title of the basic multilingual plane.
_TITLE = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd]*")
_KEYWORD = re.compile("[A-Za-z0-9]+( [A-Za-z0-9]+)*")
_KEY_ID = re.compile("[a-zA-Z0-9:/_-]*")
_TAG = re.compile(r"[\w \u00a0.:/=+\-@]*")


def problems(request: "Request") -> Iterator[str]:
    """What a labeling service would refuse of the request, each with field, value and rule."""
    yield from _team_problems(request.workforce)
    if request.workforce.type == "mechanical-turk":
        yield from _public_problems(request.workforce)
    yield from _text_problems(request)
    yield from _function_problems(request)
    yield from _tag_problems(request.labeling.tags)


def _team_problems(workforce: "Workforce") -> Iterator[str]:
    arn = workforce.workteam_arn
    if not arn:
        return
    found, wanted = _TEAM.fullmatch(arn), CROWDS[workforce.type]
    if not found:
        yield (
            f'"workforce.workteamArn" is {arn!r}; it is the ARN of a work team: '
            "arn:aws:sagemaker:<region>:<account>:workteam/private-crowd/<name>."
        )
    elif found[1] != wanted:
        yield (
            f'"workforce.workteamArn" is {arn!r}, a team of {found[1]}; "workforce.type" is '
            f"{workforce.type!r}, whose teams are in {wanted}. Change either."
        )


def _public_problems(workforce: "Workforce") -> Iterator[str]:
    missing = [name for name in CLASSIFIERS if name not in workforce.content_classifiers]
    if missing:
        yield (
            f'"workforce.contentClassifiers" has {list(workforce.content_classifiers)}; with Mechanical Turk '
            f"the request must declare {' and '.join(missing)} too. Declare it only where it is true: the "
            "pictures are shown to the public."
        )
    if workforce.price_per_task not in GROUND_TRUTH.task_prices:
        yield (
            f'"workforce.pricePerTask" is {workforce.price_per_task}; for bounding boxes Mechanical Turk '
            f"takes one of {', '.join(map(str, GROUND_TRUTH.task_prices))} USD."
        )
    available = workforce.task_availability
    if available is not None and available > MAX_PUBLIC_AVAILABILITY_S:
        yield (
            f'"workforce.taskAvailability" is {available}; with Mechanical Turk at most '
            f"{MAX_PUBLIC_AVAILABILITY_S} seconds."
        )


def _text_problems(request: "Request") -> Iterator[str]:
    told, key = request.instructions, request.labeling.kms_key_id
    if not _TITLE.fullmatch(told.title):
        yield (
            f'"instructions.title" is {told.title!r}; SageMaker takes no control characters in it, and no '
            "characters beyond U+FFFD, such as emoji."
        )
    if any(ending in told.description for ending in "\n\r\x85\u2028\u2029"):
        yield f'"instructions.description" is {told.description!r}; it is one line.'
    for keyword in told.keywords:
        if not _KEYWORD.fullmatch(keyword):
            yield (
                f'"instructions.keywords" has {keyword!r}; a keyword is of the letters A to Z, digits, and '
                "single blanks between words."
            )
    if not _KEY_ID.fullmatch(key):
        yield f'"labeling.kmsKeyId" is {key!r}; it is the id, the alias or the ARN of a key.'


def _function_problems(request: "Request") -> Iterator[str]:
    labeling = request.labeling
    given = {
        "preLambdaArn": labeling.pre_lambda_arn,
        "consolidationLambdaArn": labeling.consolidation_lambda_arn,
    }
    if any(given.values()) and not all(given.values()):
        (missing,) = [name for name, arn in given.items() if not arn]
        yield f'"labeling.{missing}" is missing; give both functions, or none for the built-in ones.'
    for name, arn in given.items():
        if arn and not _FUNCTION.fullmatch(arn):
            yield f'"labeling.{name}" is {arn!r}; it is the ARN of a Lambda function.'


def _tag_problems(tags: dict[str, str]) -> Iterator[str]:
    if len(tags) > MAX_TAGS - OWN_TAGS:
        yield f'"labeling.tags" has {len(tags)} tags; at most {MAX_TAGS - OWN_TAGS}.'
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key) or key.lower().startswith("aws:"):
            yield (
                f'"labeling.tags" has the key {key!r}; 1 to 128 letters, digits, blanks and _.:/=+-@, and '
                'not beginning with "aws:".'
            )
        if len(value) > 256 or not _TAG.fullmatch(value):
            yield (
                f'"labeling.tags" has {value!r} under {key!r}; at most 256 letters, digits, blanks and '
                "_.:/=+-@."
            )
