"""The review queue on the command line: how files fill it while they are read, what is in it, and its export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.terminal import app, note, progress_bar, say, table
from digitscope.errors import ConfigError
from digitscope.formatting import counted, percent

if TYPE_CHECKING:
    from digitscope.reading.options import ReadFile
    from digitscope.review.agreement import Progress, Share
    from digitscope.review.store import ReviewStore

ReviewOption = Annotated[
    Path | None, typer.Option(metavar="DB", help="Keep refused numbers with their crops in this review queue.")
]
BelowOption = Annotated[
    float | None, typer.Option(metavar="P", help="With --review: also those accepted with less confidence, 0 to 1.")
]


def check_review(queue: Path | None, below: float | None, ray: str | None) -> None:
    """Refuse what does not go together with a review queue, or without one."""
    if below is not None and (queue is None or not 0 <= below <= 1):
        raise ConfigError(f"--review-below {below:g} needs --review DB, and a confidence from 0 to 1")
    if queue is not None and ray is not None:
        raise ConfigError("--review keeps crops in one file, which a cluster cannot write; leave out --ray or --review")


def collecting(open_reader: Callable[[], ReadFile], queue: Path | None, below: float | None) -> Callable[[], ReadFile]:
    """Opens a reader that also fills a review queue, which is made if it is not there; as it is without one."""
    if queue is None:
        return open_reader
    from digitscope.review.collect import Collecting
    from digitscope.review.store import ReviewStore

    ReviewStore(queue, create=True).close()
    return Collecting(open_reader, queue, below or 0.0)


def tell_review(queue: Path | None) -> None:
    """Say how many numbers wait in a review queue, and where to answer."""
    if queue is None:
        return
    from digitscope.review.agreement import progress_of
    from digitscope.review.store import ReviewStore

    with ReviewStore(queue) as store:
        waiting = counted(progress_of(store).open, "number")
    note(f"{waiting} in {queue} without an answer; digitscope serve --review {queue} opens the page for them")


@app.command()
def review(
    queue: Annotated[Path, typer.Argument(metavar="DB", help="The review queue that read --review has filled.")],
    export: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the answers there as a dataset to train with.")
    ] = None,
) -> None:
    """Show how a review queue stands, or export it.

    digitscope serve --review DB opens the page to answer on.
    """
    from digitscope.review.store import ReviewStore

    with ReviewStore(queue) as store:
        if export is None:
            _show(store)
            return
        from digitscope.review.export import DIGITS, LINES
        from digitscope.review.export import export as write

        with progress_bar() as progress:
            done = write(store, export, progress)
    say(f"{counted(done.digits, 'digit')} and {counted(done.lines, 'line')} in {done.folder}")
    if done.digits:
        say(f"digitscope train --data mnist+{done.folder / DIGITS} trains with them")
    if done.lines:
        say(f"digitscope train-reader --corrections {done.folder / LINES} trains with them")


def _show(store: ReviewStore) -> None:
    """Counts, agreement and throughput."""
    from digitscope.review.agreement import by_confidence, by_reason, progress_of, throughput_of

    progress, speed = progress_of(store), throughput_of(store)
    say(_counts(progress))
    if speed.per_minute is not None:
        say(f"{speed.per_minute:.1f} answers a minute, pauses left out; {speed.seconds:.1f} s is the median of one")
    say()
    if progress.agreement is not None:
        say(f"{percent(progress.agreement, 1)} of the guesses are right where there is something to read.")
        say()
    for name, shares in (("confidence of the guess", by_confidence(store)), ("reason", by_reason(store))):
        if shares:
            _share_table(name, shares)


def _counts(progress: Progress) -> str:
    """How many items of which kind there are."""
    parts = [f"{progress.open:,} open", f"{progress.confirmed:,} confirmed", f"{progress.corrected:,} corrected",
             f"{progress.unreadable:,} with no number", f"{progress.disputed:,} disputed"]  # fmt: skip
    return f"{counted(progress.items, 'number')}: {', '.join(parts)}"


def _share_table(name: str, shares: Sequence[Share]) -> None:
    rows = [
        [share.name, f"{share.items:,}", f"{share.right:,}", f"{share.unreadable:,}", _right(share)] for share in shares
    ]
    table([name, "answered", "guess right", "no number", "right of readable"], rows)


def _right(share: Share) -> str:
    """The share of right guesses among what can be read."""
    readable = share.items - share.unreadable
    return percent(share.right / readable, 1) if readable else "–"
