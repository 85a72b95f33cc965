"""Every error there is.

    TruthmillError                   what a user can act on; its text says what, where and what to do
    ├── RequestError                 the request is wrong: an unknown key, a value out of range
    │   ├── LabelsMissingError       no label list came from anywhere
    │   └── LabelsChangedError       the dataset was labeled with another label list
    ├── SourceError                  the source can't be found or read, or is another than at the beginning
    ├── ArchiveError                 the archive as a whole can't be trusted or read
    ├── NoPicturesError              nothing in the source can be used
    ├── SplitError                   the split that was asked for can't be made
    ├── BudgetExceededError          labeling would cost more than the request allows
    ├── LabelingError                the labeling service refused the job
    │   ├── LabelingConflictError    a job of that name exists with other settings
    │   └── LabelingIncompleteError  a labeling job ended without all its labels
    └── FormatError                  a file isn't what its format says, with file and line
        └── ManifestError            a manifest's line

    PictureError                     one picture can't be used; ends in rejected.jsonl, never fails a run
    ProtocolError                    what the labeling endpoint answers to a client, by SageMaker's names
    PortalError                      what the worker portal answers to a browser

The state machine catches by these very names (Lambda reports a class's own name, and Step Functions
compares names as strings), so a name is part of the interface.
"""

from collections.abc import Mapping
from typing import Any


class TruthmillError(Exception):
    """What a user can act on."""


class RequestError(TruthmillError):
    """The request is wrong."""


class LabelsMissingError(RequestError):
    """No label list came from anywhere."""

    def __init__(self, source: str) -> None:
        """source: name of the zip or prefix whose truthmill.json was looked for."""
        super().__init__(
            f"Label list is empty: neither the execution's input, nor truthmill.json in {source}, nor the "
            'stack\'s parameter DefaultLabels names one. Add "labels": ["cat", "dog"] to any of them.'
        )


class LabelsChangedError(RequestError):
    """The dataset was labeled with another label list."""

    def __init__(self, dataset: str, known: tuple[str, ...], asked: tuple[str, ...]) -> None:
        """known: the dataset's labels; asked: the request's."""
        super().__init__(
            f"Dataset {dataset!r} is labeled with {list(known)}, the request says {list(asked)}. A dataset "
            "keeps its labels, or its pictures would lack boxes that they were asked about; there may be "
            "further ones. Name all of the dataset's labels, or give this one a name of its own with "
            '"dataset".'
        )


class SourceError(TruthmillError):
    """The source can't be found or read."""


class ArchiveError(TruthmillError):
    """The archive as a whole can't be trusted or read."""


class NoPicturesError(TruthmillError):
    """Nothing in the source can be used."""


class SplitError(TruthmillError):
    """The split that was asked for can't be made."""


class BudgetExceededError(TruthmillError):
    """Labeling would cost more than the request allows."""

    def __init__(self, estimate_usd: float, budget_usd: float, objects: int, spent_usd: float = 0.0) -> None:
        """estimate_usd: with spent_usd, that earlier rounds took. objects: that would be sent to labeling."""
        spent = (
            f"{_usd(spent_usd)} USD of it are spent; what was labeled is kept, these pictures were not sent."
            if spent_usd
            else "Nothing was sent to labeling and nothing is charged."
        )
        super().__init__(
            f"Labeling {objects} pictures is estimated at {_usd(estimate_usd)} USD, the request's budget is "
            f'{_usd(budget_usd)} USD. {spent} Raise "budget": {{"maxCost": …}}, or send fewer pictures.'
        )
        self.estimate_usd = estimate_usd
        self.budget_usd = budget_usd


def _usd(amount: float) -> str:
    """Cents, and parts of them only where there are any."""
    return f"{amount:.2f}" if round(amount, 2) == round(amount, 6) else f"{amount:.6f}".rstrip("0")


class LabelingError(TruthmillError):
    """The labeling service refused the job."""


class LabelingConflictError(LabelingError):
    """A job of that name exists with other settings."""


class LabelingIncompleteError(LabelingError):
    """A labeling job ended without all its labels."""


class FormatError(TruthmillError):
    """A file isn't what its format says."""


class ManifestError(FormatError):
    """A manifest's line isn't what Ground Truth documents."""

    def __init__(self, where: str, problem: str) -> None:
        """where: file and line number; problem: what was found and what is right."""
        super().__init__(f"{where}: {problem}")


class PictureError(Exception):
    """One picture can't be used. Never leaves the batch it is in.

    reason: a key of `truthmill.rejections.REASONS`; detail: what was found, may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class ProtocolError(Exception):
    """The labeling endpoint refuses a request. code: SageMaker's name for it; status: of HTTP."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class PortalError(Exception):
    """The portal refuses a request. status: of HTTP; code: stable, docs/portal-api.md lists them.

    details: what the message names, for a page that says it in another language.
    """

    def __init__(
        self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details or {}
