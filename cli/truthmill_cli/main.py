"""The command `truthmill`: what can be said on the command line, and what is shown of the answer.

A verb imports what it needs when it runs, so that help and completion don't wait for AWS's library.
"""
# ruff: noqa: PLC0415 -- see above

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from truthmill.errors import TruthmillError
from truthmill.s3_uri import s3_location
from truthmill_cli import checkout, dataset_commands
from truthmill_cli.console import emit_json, progress, result, say
from truthmill_cli.dataset_commands import followed, started
from truthmill_cli.errors import CommandError, UsageError, refused
from truthmill_cli.gold_command import app as gold
from truthmill_cli.home import Home
from truthmill_cli.options import (
    Json,
    LabelingStackName,
    Request,
    Source,
    StackName,
    Wait,
    WorkersPerObject,
    comma_separated,
)
from truthmill_cli.team_command import app as team
from truthmill_cli.workers_command import app as workers

INTERRUPTED = 130  # a shell's own code for Ctrl-C

app = typer.Typer(
    name="truthmill",
    help="Drop a zip of images in S3; get back a labeled object-detection dataset, split, checked, packed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(workers, name="workers")
app.add_typer(team, name="team")
app.add_typer(gold, name="gold")
dataset_commands.register(app)


@app.command()
def up(
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="NAME=VALUE", help="A parameter of template.yaml; repeatable."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the local stack: engine, labeling service, pipeline. A second `up` finds what was kept."""
    from truthmill_cli import up as verb

    stack = verb.up(Home.default(), checkout.find(), parse_parameters(parameter or []))
    if as_json:
        emit_json(stack.describe())
        return
    say(f"\nEndpoint  {stack.endpoint}\nBucket    {stack.bucket}\nPortal    {stack.portal}")
    say("\nNext: truthmill run pets.zip --labels cat,dog --wait")


@app.command()
def down(
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete the data too: datasets, accounts, all.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stop the local stack. Its data stays for the next `up`, unless --clean."""
    from truthmill_cli import down as verb

    home = Home.default()
    was_running = verb.down(home, clean)
    if as_json:
        emit_json({"wasRunning": was_running, "cleaned": clean})
        return
    say("The local stack has ended." if was_running else "The local stack wasn't running.")
    say(f"Its data is deleted: {home.path}" if clean else f"Its data stays in {home.path}")


@app.command()
def status(
    run: Annotated[str, typer.Argument(help="A run, a dataset or an execution. Default: all runs.")] = "",
    wait: Wait = False,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Show where the stack is and how its runs stand; or one run, which --wait follows."""
    from truthmill_cli import follow, runs
    from truthmill_cli import stack as stacks
    from truthmill_cli import status as verb

    stack = stacks.find(None, stack_name, labeling_stack_name)
    storage = stacks.storage(stack)
    if wait and not run:
        raise UsageError("--wait follows one run. Name it: truthmill status RUN --wait")
    if wait:
        followed(stack, follow.execution_of(stack, storage, run), as_json)
    elif run:
        emit_json(runs.find(storage, run))
    elif as_json:
        emit_json(verb.status(stack, storage))
    else:
        report = verb.status(stack, storage)
        for name, value in stack.describe().items():
            result.print(f"{name:<17} {value or ''}", markup=False)
        result.print(verb.table(report) if report["runs"] else "No runs yet.")


@app.command()
def run(
    source: Source,
    labels: Annotated[
        str | None, typer.Option(metavar="A,B", help="The classes, separated by commas.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="The dataset's name. Default: the source's.")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of pictures for validation. Default: 0.2.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Decides the split. Default: the dataset's name.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="A,B", help="Training formats, separated by commas.")
    ] = None,
    workers_per_object: WorkersPerObject = None,
    request: Request = None,
    wait: Wait = False,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Start a run on a source. With --wait --json, prints the run's run.json at its end."""
    from truthmill_cli import run as verb
    from truthmill_cli import stack as stacks

    options = {
        "labels": comma_separated(labels),
        "dataset": dataset,
        "split.validation": validation,
        "split.seed": seed,
        "channels": comma_separated(channels),
        "workforce.workersPerObject": workers_per_object,
    }
    prepared = verb.prepare(source, request, options)
    stack = stacks.find(None, stack_name, labeling_stack_name)
    execution = verb.start(stack, stacks.storage(stack), prepared)
    started(stack, execution, wait=wait, as_json=as_json)


@app.command()
def estimate(
    source: Source,
    workers_per_object: WorkersPerObject = None,
    price_per_task: Annotated[
        str | None, typer.Option(metavar="USD", help="What one answer costs you. Default: 0, your own staff.")
    ] = None,
    labeled_this_month: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Objects that the account had labeled before in the month."),
    ] = None,
    request: Request = None,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """What a source would cost at most, without running anything. Only equal files are counted as copies."""
    from truthmill_cli import estimate as verb
    from truthmill_cli import run
    from truthmill_cli import stack as stacks

    options = {
        "workforce.workersPerObject": workers_per_object,
        "workforce.pricePerTask": price_per_task,
        "budget.labeledThisMonth": labeled_this_month,
    }
    prepared = run.prepare(source, request, options)
    if prepared.local:
        contents = verb.local_contents(prepared.local)
    else:
        stack = stacks.find(None, stack_name, labeling_stack_name)
        bucket, key = s3_location(source)
        contents = verb.stored_contents(stacks.storage(stack, bucket), key)
    report = verb.estimate(contents, run.understood(prepared.request))
    if as_json:
        emit_json(report)
        return
    say(f"{contents.pictures} pictures, {contents.copies} of them copies; {contents.others} other files")
    result.print(verb.table(report))


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A folder, a zip, or a file of labels.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write, which is new.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="The format to write.")],
    source_format: Annotated[
        str, typer.Option("--from", metavar="FORMAT", help="The source's format. Default: found out.")
    ] = "",
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="The class list in the order of class ids. Default: the source's."),
    ] = None,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Write labels only. Default: hard links, else copies.")
    ] = False,
    unlabeled_are_negatives: Annotated[
        bool,
        typer.Option(
            "--unlabeled-are-negatives", help="Take pictures without an answer for ones without objects."
        ),
    ] = False,
    pictures_at: Annotated[
        str,
        typer.Option(
            metavar="S3_URI", help="Where the pictures lie in S3, for manifests: s3://bucket/prefix/."
        ),
    ] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the sizes that the labels say with the pictures' own.")
    ] = False,
    pixels_from: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1,
            help="Of Pascal VOC, which leaves it open: 1 as in its development kit (the default), 0 as CVAT, "
            "LabelImg and Roboflow write it.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Convert labels from one format to another, files to files. docs/formats.md has the formats."""
    from truthmill_cli import convert as verb

    listed = comma_separated(labels)
    options = verb.Options(
        source_format=source_format,
        labels=tuple(listed) if listed else None,
        with_pictures=not no_pictures,
        unlabeled="negative" if unlabeled_are_negatives else "leave-out",
        at=pictures_at,
        verify=verify,
        pixels_from=pixels_from,
    )
    report = verb.convert(source, target, to, options)
    if as_json:
        emit_json(report)
        return
    for line in verb.sentences(report):
        say(line)


@app.command()
def demo(
    to: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the pulled dataset goes.", file_okay=False)
    ] = Path("out/demo"),
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Decides what is drawn.")] = 7,
    as_json: Json = False,
) -> None:
    """The whole way on this machine, from a zip of drawn pictures to checked training channels."""
    from truthmill_cli import demo as verb

    comparison = verb.demo(checkout.find(), to, seed)
    if as_json:
        emit_json(verb.as_json(comparison))
    else:
        result.print(verb.table(comparison))
    raise typer.Exit(0 if comparison.holds else 1)


@app.command()
def preview(
    template: Annotated[
        Path, typer.Argument(help="The worker template, a Liquid file.", exists=True, dir_okay=False)
    ],
    image: Annotated[
        Path, typer.Option(metavar="FILE", help="The picture to draw on.", exists=True, dir_okay=False)
    ],
    labels: Annotated[str, typer.Option(metavar="A,B", help="The classes, separated by commas.")],
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open it in the browser, or only print the address."),
    ] = True,
    once: Annotated[bool, typer.Option("--once", help="End after the first answer that is fine.")] = False,
) -> None:
    """Show a worker template in the browser, without any stack. Answers are printed as JSON, one a line."""
    import webbrowser

    from truthmill_cli import preview as verb

    def take(answer: dict[str, Any], problem: str) -> bool:
        if problem:
            say(f"The portal would refuse this answer: {problem}")
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return once and not problem

    shown = verb.Preview(template, image, tuple(comma_separated(labels) or ()), take, say)
    shown.check()
    with verb.serve(shown) as server:
        address = f"http://{verb.HOST}:{server.server_port}/"
        say(f"Preview at {address} (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)
        server.serve_forever(poll_interval=0.1)


def parse_parameters(given: list[str]) -> dict[str, str]:
    """NAME=VALUE, each. Raises UsageError."""
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (equals and name.isalnum()):
            raise UsageError(f"--parameter {text!r} isn't NAME=VALUE.")
        parameters[name] = value
    return parameters


def main() -> None:
    """Run the command; a mistake, or a service that refuses, is one sentence and an exit code."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 -- the border; what isn't understood is raised again
        text, code = explain(error)
        progress.print("[bold red]Error:[/bold red]", end=" ")
        say(text)
        sys.exit(code)


def explain(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code for an error; one of our own making is raised again."""
    if isinstance(error, CommandError):
        return str(error), error.exit_code
    if isinstance(error, TruthmillError):
        return str(error), 2
    if type(error).__module__.partition(".")[0] in {"botocore", "boto3", "obstore"}:
        return first_line(error), 1
    if isinstance(error, OSError):
        return refused(error), 1
    raise error


def first_line(error: Exception) -> str:
    lines: Any = str(error).splitlines() or [type(error).__name__]
    return str(lines[0])


if __name__ == "__main__":
    main()
