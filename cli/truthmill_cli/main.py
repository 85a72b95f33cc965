"""The command `truthmill`."""

import sys
from typing import Annotated

import typer

from truthmill_cli import checkout
from truthmill_cli.console import emit_json, progress, say
from truthmill_cli.errors import CommandError, UsageError
from truthmill_cli.home import Home

app = typer.Typer(
    name="truthmill",
    help="Drop a zip of images in S3; get back a labeled object-detection dataset, split, checked, packed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document on stdout.")]


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
    from truthmill_cli import up as verb  # noqa: PLC0415 -- a verb imports what it needs when it runs

    stack = verb.up(Home.default(), checkout.find(), parse_parameters(parameter or []))
    if as_json:
        emit_json(stack.describe())
        return
    say(f"\nEndpoint  {stack.endpoint}\nBucket    {stack.bucket}\nPortal    {stack.portal}")
    say("\nNext: truthmill run pets.zip --labels cat,dog --wait")


@app.command()
def down(
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete the data too: datasets, accounts, everything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stop the local stack. Its data stays for the next `up`, unless --clean."""
    from truthmill_cli import down as verb  # noqa: PLC0415

    home = Home.default()
    was_running = verb.down(home, clean)
    if as_json:
        emit_json({"wasRunning": was_running, "cleaned": clean})
        return
    say("The local stack has ended." if was_running else "The local stack wasn't running.")
    say(f"Its data is deleted: {home.path}" if clean else f"Its data stays in {home.path}")


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
    try:
        app()
    except CommandError as error:
        progress.print(f"[bold red]Error:[/bold red] {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
