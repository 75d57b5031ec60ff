"""The command that serves the page and the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.looking import BesideOption, LanguageOption, SnapshotOption
from digitscope.cli.terminal import ModelOption, app, load_model, note, progress_bar

if TYPE_CHECKING:
    from digitscope.service.settings import Settings


@app.command()
def serve(
    model: ModelOption = "classic",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8128,
    lan: Annotated[bool, typer.Option("--lan", help="Let other devices in the same network in, e.g. a phone.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser at once.")] = False,
    snapshot: SnapshotOption = None,
    beside: BesideOption = None,
    language: LanguageOption = None,
    review: Annotated[
        Path | None,
        typer.Option(metavar="DB", help="Serve the page to correct what read --review has put into this queue."),
    ] = None,
) -> None:
    """Serve the page to draw digits in, and the HTTP API to read with.

    It answers this machine only, unless --lan is given. Ctrl-C stops it. Limits and a token are set by
    environment variables; docs/service.md lists them.
    """
    import webbrowser

    from digitscope.service.server import serve as serve_all
    from digitscope.service.settings import from_environment

    settings = from_environment()

    def started(address: str, _: object) -> None:
        typer.echo(f"Serving {model} on {address}" + (" and to the whole network" if lan else "") + "; Ctrl-C stops it")
        if review is not None:
            typer.echo(f"Review {review} on {address}review/")
        if lan:
            note(_opened(settings, port, review))
        if open_:
            webbrowser.open(address)

    snapshots, others = ([load_model(name) for name in names or []] for names in (snapshot, beside))
    serve_all(load_model(model), snapshots, port, lan, started, progress_bar, others, settings, language or [], review)


def _opened(settings: Settings, port: int, review: Path | None) -> str:
    """What is open to the network with ``--lan``."""
    who = "without a token" if settings.token is None else "with the token"
    page = ", and the page with its model," if settings.page else ""
    queue = "" if review is None else f"; so are the crops in {review}, and answers about them are taken"
    return (
        f"every device that reaches port {port} of this machine can have files read {who}{page} over HTTP that is not "
        f"encrypted{queue}; what is uploaded is read and forgotten"
    )
