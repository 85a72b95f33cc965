"""Verbs about a dataset that is there: to ask again, split anew, download, train on, look at.

A verb imports what it needs when it runs, so that help and completion don't wait for AWS's library.
"""
# ruff: noqa: PLC0415 -- see above

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from truthmill_cli.console import emit_json, result, say
from truthmill_cli.home import Home
from truthmill_cli.options import Dataset, Json, LabelingStackName, StackName, Wait, comma_separated

if TYPE_CHECKING:
    from truthmill_cli.runs import Document
    from truthmill_cli.stack import Stack


def register(app: typer.Typer) -> None:
    """Make them verbs of the command."""
    app.command()(relabel)
    app.command()(resplit)
    app.command("train-config")(train_config)
    app.command()(pull)
    app.command()(report)


def relabel(
    dataset: Dataset,
    request: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A JSON file with what shall be otherwise than last time.", dir_okay=False
        ),
    ] = None,
    wait: Wait = False,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Ask workers again for the dataset's pictures that came back without an answer, and only for those."""
    from truthmill_cli import run as verb
    from truthmill_cli import stack as stacks

    stack = stacks.find(None, stack_name, labeling_stack_name)
    execution = verb.start_execution(stack, verb.again(stacks.storage(stack), dataset, request))
    started(stack, execution, wait=wait, as_json=as_json)


def resplit(
    dataset: Dataset,
    validation: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of pictures for validation. Default: as it was."),
    ] = None,
    test: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of pictures for a test split.")
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Balance the classes over the splits.")
    ] = False,
    seed: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Decides the split. Default: as it was.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="A,B", help="Training formats. Default: as they were.")
    ] = None,
    wait: Wait = False,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Split a labeled dataset anew and build its channels; nobody labels, earlier runs stay as they are."""
    from truthmill_cli import run as verb
    from truthmill_cli import stack as stacks

    options = {
        "resplit": True,
        "split.validation": validation,
        "split.test": test,
        "split.stratify": stratify,
        "split.seed": seed,
        "channels": comma_separated(channels),
    }
    stack = stacks.find(None, stack_name, labeling_stack_name)
    execution = verb.start_execution(stack, verb.again(stacks.storage(stack), dataset, None, options))
    started(stack, execution, wait=wait, as_json=as_json)


def train_config(
    dataset: Dataset,
    trainer: Annotated[
        Literal["sagemaker", "ultralytics", "torchvision"],
        typer.Option("--for", help="A CreateTrainingJob request, or a program that trains."),
    ] = "sagemaker",
    run: Annotated[str, typer.Option(metavar="RUN", help="Another run than the newest.")] = "",
    role_arn: Annotated[
        str, typer.Option(metavar="ARN", help="The role that SageMaker takes; must read the bucket.")
    ] = "",
    instance_type: Annotated[str, typer.Option(metavar="TYPE", help="Default: ml.g5.xlarge.")] = "",
    folder: Annotated[
        str, typer.Option(metavar="DIR", help="Where the dataset was pulled to. Default: out/DATASET.")
    ] = "",
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Print what starts a training: aws sagemaker create-training-job --cli-input-json "$(…)", or Python."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import train_config as verb

    stack = stacks.find(None, stack_name, labeling_stack_name)
    typer.echo(
        verb.train_config(
            stacks.storage(stack),
            dataset,
            trainer,
            run=run,
            region=stack.region,
            role_arn=role_arn,
            instance_type=instance_type,
            folder=folder,
        ),
        nl=False,
    )


def pull(
    dataset: Dataset,
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to lay it out in.", file_okay=False)],
    run: Annotated[
        str, typer.Option(metavar="RUN", help="Which run's channels. Default: the newest complete run.")
    ] = "",
    training_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="A folder in this one format, whether or not the run built it. Default: all there is.",
        ),
    ] = "",
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Download a dataset with its channels. What is there already is not downloaded again."""
    from truthmill_cli import pull as verb
    from truthmill_cli import pull_format
    from truthmill_cli import stack as stacks

    storage = stacks.storage(stacks.find(None, stack_name, labeling_stack_name))
    if training_format:
        report = pull_format.pull_format(storage, dataset, run, to, training_format)
    else:
        report = verb.pull(storage, dataset, run, to)
    if as_json:
        emit_json(report)
        return
    fetched = f"{report['downloaded']} files ({report['bytes']:,} bytes) downloaded to {to}"
    say(f"{fetched}, {report['present']} were there already.")
    for note in report.get("notes", []):
        say(note)


def report(
    dataset: Dataset,
    run: Annotated[
        str, typer.Option(metavar="RUN", help="Which run's. Default: the newest complete one.")
    ] = "",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it, or print its path only.")
    ] = True,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Fetch a run's report and open it in the browser: whether to train, and what to look at first."""
    from truthmill_cli import report as verb
    from truthmill_cli import stack as stacks

    stack = stacks.find(None, stack_name, labeling_stack_name)
    path = verb.fetch(stacks.storage(stack), Home.default(), dataset, run)
    result.print(str(path), markup=False)
    if browser and not verb.show(path):
        say("No browser could be opened; open the file yourself.")


def started(stack: "Stack", execution: str, *, wait: bool, as_json: bool) -> None:
    """Say what was started, or follow it."""
    name = execution.rpartition(":")[2]
    if wait:
        followed(stack, execution, as_json)
    elif as_json:
        emit_json({"execution": execution, "name": name})
    else:
        say(f"Started {name}. Follow it with: truthmill status {name} --wait{stack.option}")


def followed(stack: "Stack", execution: str, as_json: bool) -> None:
    """Follow to the end; exit code 1 where the run failed."""
    from truthmill_cli import follow
    from truthmill_cli import stack as stacks

    with follow.leaves_it_going(stack, execution.rpartition(":")[2]):
        document: Document = follow.follow(stack, stacks.storage(stack), execution)
    if as_json:
        emit_json(document)
    if document["state"] != "SUCCEEDED":
        raise typer.Exit(1)
    if not as_json:
        say(f"Next: truthmill pull {document['dataset']} --to out/{stack.option}")
