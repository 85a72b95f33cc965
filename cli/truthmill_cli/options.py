"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document on stdout.")]
StackName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The pipeline's stack in AWS, with your AWS credentials. Default: the local stack.",
    ),
]
LabelingStackName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The labeling stack in AWS. Default: the pipeline's name with -labeling, if it exists.",
    ),
]
Source = Annotated[
    str, typer.Argument(help="A zip or folder on this machine, or s3://bucket/… of a zip or prefix.")
]
Dataset = Annotated[str, typer.Argument(help="The dataset's name.")]
Request = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A JSON file with the request; options override it.", dir_okay=False),
]
WorkersPerObject = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Workers who label each picture, 1 to 9.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")]
Team = Annotated[
    str, typer.Option("--team", metavar="NAME", help="The work team. Default: the one that jobs go to.")
]
Truth = Annotated[
    Path,
    typer.Option(
        metavar="FILE", help="COCO file with the boxes to draw.", exists=True, dir_okay=False, readable=True
    ),
]


def comma_separated(text: str | None) -> list[str] | None:
    """Parts without the blanks around them; None stays None."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
