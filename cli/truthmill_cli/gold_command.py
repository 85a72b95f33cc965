"""`truthmill gold`: what can be said on the command line."""
# ruff: noqa: PLC0415 -- a verb imports what it needs when it runs

from typing import Annotated

import typer

from truthmill_cli.console import emit_json, say
from truthmill_cli.options import Json, LabelingStackName, StackName

app = typer.Typer(help="Pictures with known boxes, mixed in among workers' tasks.", no_args_is_help=True)


@app.callback()
def gold() -> None:
    """Pictures with known boxes, mixed in among workers' tasks."""


@app.command()
def add(
    job: Annotated[str, typer.Argument(help="The labeling job's name; `truthmill team list` shows them.")],
    manifest: Annotated[
        str, typer.Argument(help="s3:// URI of an output manifest, in the stack's bucket, with the boxes.")
    ],
    share: Annotated[
        float, typer.Option(metavar="SHARE", help="How many of a worker's tasks are such.", min=0, max=1)
    ] = 0.05,
    threshold: Annotated[
        float,
        typer.Option(metavar="F1", help="Who is below it after three gets no more tasks.", min=0, max=1),
    ] = 0.0,
    feedback: Annotated[bool, typer.Option("--feedback", help="Tell workers at once how they did.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back answers of who is below, and ask others.")
    ] = False,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Add gold tasks to a labeling job, also while it runs."""
    from truthmill.quality_rules import QualityRules
    from truthmill_cli import gold as verb
    from truthmill_cli import stack as stacks

    rules = QualityRules(
        gold_manifest=manifest,
        gold_share=share,
        gold_threshold=threshold,
        gold_feedback=feedback,
        gold_withdraw=withdraw,
    )
    arn, pictures = verb.add(stacks.find(None, stack_name, labeling_stack_name), job, rules)
    if as_json:
        emit_json({"job": job, "arn": arn, "manifest": manifest, "pictures": pictures})
    else:
        say(f"{job} has {pictures} pictures of {manifest} among its tasks from now on.")
