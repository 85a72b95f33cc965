"""`truthmill workers`: what can be said on the command line."""
# ruff: noqa: PLC0415 -- a verb imports what it needs when it runs

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from truthmill_cli.console import emit_json, result, say
from truthmill_cli.home import Home
from truthmill_cli.options import Json, LabelingStackName, StackName, Team, Truth, comma_separated
from truthmill_cli.team_defaults import TEAM

app = typer.Typer(
    help="The people who label: invite them, list them, or have some simulated.", no_args_is_help=True
)


@app.command()
def invite(
    email: Annotated[list[str], typer.Argument(help="Addresses that invitations go to.")],
    team: Team = TEAM,
    lead: Annotated[
        bool, typer.Option("--lead", help="They run the teams they are in; also for who has an account.")
    ] = False,
    about: Annotated[
        str,
        typer.Option(metavar="TEXT", help="What the mail says of the work. Default: the team's description."),
    ] = "",
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Invite workers by e-mail. They choose a password of their own at the first sign-in."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import workers as verb

    stack = stacks.find(None, stack_name, labeling_stack_name)
    states = {address: verb.invite(stack, address, of=team, lead=lead, about=about) for address in email}
    if as_json:
        emit_json({"portal": stack.portal, "workers": states})
        return
    for address, state in states.items():
        say(f"{address}: {'invited' if state == 'invited' else 'has an account already'}")
    say(f"They sign in at {stack.portal}")


@app.command("list")
def list_workers(
    team: Team = TEAM,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """List the team."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import workers as verb

    stack = stacks.find(None, stack_name, labeling_stack_name)
    members = verb.members(stack, team)
    if as_json:
        emit_json({"workers": members})
        return
    shown = Table("e-mail", "state", "invited", "role", box=None, pad_edge=False)
    for member in members:
        role = "lead" if member["lead"] else ""
        shown.add_row(member["email"], member["state"], member["invited"], role)
    result.print(shown if members else "Nobody is invited yet: truthmill workers invite someone@example.com")


@app.command()
def resend(
    email: Annotated[str, typer.Argument(help="Address of somebody who hasn't signed in yet.")],
    team: Team = TEAM,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Send an invitation again, with a temporary password that is good from now on."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import workers as verb

    verb.resend(stacks.find(None, stack_name, labeling_stack_name), email, team)
    say(f"{email}: the invitation is sent again")


@app.command()
def reset_factor(
    email: Annotated[str, typer.Argument(help="Address of a member of the team who has lost their device.")],
    team: Team = TEAM,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Ask a worker for no code of a second factor any more, until they set up another device."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import workers as verb

    verb.reset_factor(stacks.find(None, stack_name, labeling_stack_name), email, team)
    say(f"{email}: the second factor is reset; they are signed out")


@app.command()
def remove(
    email: Annotated[str, typer.Argument(help="Address of a member of the team.")],
    team: Team = TEAM,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Take a worker out of the team. They are signed out; their tasks go back to the others at once."""
    from truthmill_cli import stack as stacks
    from truthmill_cli import workers as verb

    returned = verb.remove(stacks.find(None, stack_name, labeling_stack_name), email, team)
    if as_json:
        emit_json({"removed": email, "team": team, "returned": returned})
        return
    say(f"{email} isn't in team {team} any more; {returned} tasks went back")


@app.command()
def simulate(
    truth: Truth,
    workers: Annotated[int, typer.Option(metavar="NUMBER", help="How many.", min=1, max=50)] = 2,
    noise: Annotated[
        float,
        typer.Option(metavar="PIXELS", help="How far off each edge is drawn at most, in pixels.", min=0),
    ] = 1.5,
    kinds: Annotated[
        str,
        typer.Option(
            metavar="KINDS",
            help="What they are like, in turn: exact, careful, usual, swapping, careless, spammer.",
        ),
    ] = "exact",
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Decides who errs how.")] = 7,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the truth's pictures, to know them by content too.",
            file_okay=False,
        ),
    ] = None,
    as_json: Json = False,
    stack_name: StackName = "",
    labeling_stack_name: LabelingStackName = "",
) -> None:
    """Have simulated workers label what is waiting, over HTTP as people would, until nothing is."""
    from truthmill_cli import simulated_workers as verb
    from truthmill_cli import stack as stacks

    stack = stacks.find(None, stack_name, labeling_stack_name)
    report = verb.simulate(
        stack,
        Home.default(),
        truth,
        images,
        verb.Manner(workers, noise, seed, tuple(comma_separated(kinds) or ())),
    )
    if as_json:
        emit_json(report)
        return
    for worker in report["workers"]:
        say(f"{worker['email']}: {worker['submitted']} submitted, {worker['skipped']} skipped")
