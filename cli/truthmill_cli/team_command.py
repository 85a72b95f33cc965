"""`truthmill team`: what can be said on the command line."""
# ruff: noqa: PLC0415 -- a verb imports what it needs when it runs

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from truthmill.s3_uri import s3_location
from truthmill_cli.console import emit_json, result, say
from truthmill_cli.options import Json, LabelingStackName, StackName
from truthmill_cli.team_defaults import ABOUT

app = typer.Typer(help="Work teams: who is in them, how far they got, what they drew.", no_args_is_help=True)
Job = Annotated[str, typer.Argument(help="The labeling job's name; `truthmill team list` shows them.")]


@app.command("list")
def list_teams(
    as_json: Json = False, stack_name: StackName = "", labeling_stack_name: LabelingStackName = ""
) -> None:
    """List the teams with their members and jobs."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import team as verb

    teams = verb.overview(stacks.find(None, stack_name, labeling_stack_name))
    if as_json:
        emit_json({"teams": teams})
        return
    shown = _table("team", "members", "job", "status", "labeled", "objects")
    for team in teams:
        members = ", ".join(f"{count} {state}" for state, count in team["members"].items()) or "nobody"
        for job in team["jobs"] or [{}]:
            cells = [str(job.get(name, "")) for name in ("job", "status", "labeled", "objects")]
            shown.add_row(team["team"], members, *cells)
    result.print(shown)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The team's name: letters, digits and hyphens, at most 63.")],
    about: Annotated[
        str, typer.Option(metavar="TEXT", help="What the team does; its invitations say it.")
    ] = ABOUT,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Make a work team. Jobs are given to it by its ARN, which is printed."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import team as verb

    arn = verb.create(stacks.find(None, stack_name, labeling_stack_name), name, about)
    if as_json:
        emit_json({"team": name, "arn": arn})
    else:
        result.print(arn, markup=False)


@app.command()
def progress(
    job: Job, as_json: Json = False, stack_name: StackName = "", labeling_stack_name: LabelingStackName = ""
) -> None:
    """Show how far each worker got in a job: count, median time, agreement with the others."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import team as verb

    report = verb.progress(stacks.find(None, stack_name, labeling_stack_name), job)
    if as_json:
        emit_json(report)
        return
    stands = report["job"]
    say(f"{stands['job']}: {stands['status']}, {stands['labeled']} of {stands['objects']} labeled")
    shown = _table("worker", "answered", "declined", "holds", "median s", "agreement")
    for worker in report["workers"]:
        shown.add_row(
            worker["email"] or worker["member"],
            *(
                _cell(worker[name])
                for name in ("answered", "declined", "holds", "medianSeconds", "agreement")
            ),
        )
    result.print(shown)


@app.command("object")
def answered_object(
    job: Job,
    number: Annotated[int, typer.Argument(help="The object's place in the job's manifest, from 0.", min=0)],
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An SVG with the boxes drawn on the picture. Default: only print them.",
            dir_okay=False,
        ),
    ] = None,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Show an object with every worker's answer, and what they come to."""
    from truthmill_cli import drawn_answers
    from truthmill_cli import stack as stacks
    from truthmill_cli import team as verb

    stack = stacks.find(None, stack_name, labeling_stack_name)
    shown = verb.answered_object(stack, job, number)
    if to is not None:
        key = s3_location(shown["uri"]).key
        to.write_text(drawn_answers.draw(shown, stacks.storage(stack).read(key)), encoding="utf-8")
        say(f"Drawn to {to}")
    if as_json:
        emit_json(shown)
        return
    table = _table("who", "label", "left", "top", "width", "height")
    drawn = [(answer["email"] or answer["member"], answer["boxes"]) for answer in shown["answers"]]
    for who, boxes in [*drawn, ("merged", shown["merged"])]:
        for box in boxes:
            table.add_row(who, *(str(box[name]) for name in ("label", "left", "top", "width", "height")))
    result.print(f"{shown['objectName']}: {shown['state']}, {len(shown['answers'])} answers", markup=False)
    result.print(table)
    for one in shown["declined"]:
        result.print(f"{one['email'] or one['member']} declined: {one['reason']}", markup=False)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)
