"""What a labeling job asks of its workers, which is said by the two functions that its request names.

Ground Truth's built-ins of boxes, or functions of somebody's own: PreHumanTaskLambdaArn makes what a template
finds under `task.input`, AnnotationConsolidationLambdaArn makes labels of the answers.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from truthmill.labeling_job import ACCOUNTS, NO_ACCOUNT
from truthmill.labeling_protocol import validation_error

BOXES, ADJUSTMENT, VERIFICATION = "BoundingBox", "AdjustmentBoundingBox", "VerificationBoundingBox"
BUILT_INS = (BOXES, ADJUSTMENT, VERIFICATION)
CUSTOM = "custom"
PRE = "PreHumanTaskLambdaArn"
CONSOLIDATION = "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"

_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}):function:(?P<name>[^:]+)(:.+)?"
)


class Kinds(NamedTuple):
    """pre: what makes a task's input; consolidation: what makes labels. A built-in's name, or CUSTOM."""

    pre: str
    consolidation: str

    @property
    def draws_boxes(self) -> bool:
        """Whether answers are boxes, which have to lie on their picture."""
        return self.consolidation in (BOXES, ADJUSTMENT)


def kinds(task: Mapping[str, Any]) -> Kinds:
    """The kinds that a HumanTaskConfig names. Raises ProtocolError (ValidationException)."""
    consolidation = task.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    found = Kinds(_kind(task.get(PRE), "PRE", PRE), _kind(consolidation, "ACS", CONSOLIDATION))
    if CUSTOM not in found and found.pre != found.consolidation:
        raise validation_error(
            f"HumanTaskConfig.{PRE} is PRE-{found.pre} and {CONSOLIDATION} is ACS-{found.consolidation}; "
            "built-in functions belong together."
        )
    return found


def _kind(arn: str | None, step: str, member: str) -> str:
    if arn is None:
        raise validation_error(
            f"HumanTaskConfig.{member} is missing; for boxes it is Ground Truth's {step}-{BOXES}."
        )
    found = _FUNCTION.fullmatch(arn)
    name = found["name"] if found else ""
    if found and name in {f"{step}-{built_in}" for built_in in BUILT_INS}:
        _check_account(found, arn, member)
        return name.removeprefix(f"{step}-")
    if found is None or found["account"] in ACCOUNTS.values() or name.startswith(("PRE-", "ACS-")):
        offered = ", ".join(f"{step}-{built_in}" for built_in in BUILT_INS)
        raise validation_error(
            f"HumanTaskConfig.{member} is {arn!r}; this service offers {offered}, or a function of your own."
        )
    return CUSTOM


def _check_account(found: re.Match[str], arn: str, member: str) -> None:
    """A function of somebody else's that is named as a built-in one would be passed over in silence."""
    region, account = found["region"], found["account"]
    right = ACCOUNTS.get(region, NO_ACCOUNT)
    if account != right:
        raise validation_error(
            f"HumanTaskConfig.{member} is {arn!r}; the account of built-in functions in {region} is {right}. "
            "Name a function of your own otherwise."
        )


def check_custom_functions(task: Mapping[str, Any], region: str, account: str, pattern: str) -> None:
    """Raise ProtocolError where the service's roles may not invoke a function of somebody's own.

    pattern: names that they may invoke, `*` for any characters; the stack's CustomFunctionNames.
    """
    found = kinds(task)
    given = {
        PRE: (found.pre, task[PRE]),
        CONSOLIDATION: (
            found.consolidation,
            task["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"],
        ),
    }
    for member, (kind, arn) in given.items():
        if kind == CUSTOM and not _may_be_invoked(arn, region, account, pattern):
            raise validation_error(
                f"HumanTaskConfig.{member} is {arn!r}; the service invokes functions of account {account} in "
                f"{region} whose name matches {pattern!r}. Name it so, or deploy the labeling stack with "
                "another CustomFunctionNames."
            )


def _may_be_invoked(arn: str, region: str, account: str, pattern: str) -> bool:
    found = _FUNCTION.fullmatch(arn)
    return (
        found is not None
        and (found["region"], found["account"]) == (region, account)
        and fnmatchcase(found["name"], pattern)
    )
