"""List the run folders in a folder, and sort them.

It reads only the small files of a run and imports nothing heavy, so the list appears at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from digitscope.errors import ConfigError, DataError
from digitscope.experiments.state import state_of
from digitscope.formatting import file_name, number, percent
from digitscope.models.run_folder import pick_values, read_json

COLUMNS = (
    "name", "recipe", "settings", "seed", "data", "accuracy", "misses", "parameters", "seconds", "state", "date",
)  # fmt: skip
"""The columns of the table; it can be sorted by each of them."""

LARGEST_FIRST = ("accuracy", "date")
"""Columns that are sorted from large to small."""


@dataclass(frozen=True)
class RunSummary:
    """One run folder. A value is None if the training is unfinished or a file is damaged.

    Attributes:
        name: of the folder.
        recipe: name of the recipe.
        settings: the settings that differ from the recipe, e.g. ``pooling=average epochs=3``.
        seed: of the training.
        data: name or path of the dataset, as it was given.
        accuracy: share 0..1 of the test images that is read correctly.
        misses: test images that are misread.
        n: test images.
        parameters: of the network.
        seconds: what the fit took.
        finished: whether every file of the run is written.
        date: when the training began; if the run does not say, when its ``config.json`` was written.
        trouble: what is wrong with the folder, one sentence; empty if nothing is.
    """

    name: str
    recipe: str | None = None
    settings: str = ""
    seed: int | None = None
    data: str | None = None
    accuracy: float | None = None
    misses: int | None = None
    n: int | None = None
    parameters: int | None = None
    seconds: float | None = None
    finished: bool = False
    date: datetime | None = None
    trouble: str = ""

    @property
    def state(self) -> str:
        """``finished``, ``unfinished`` (stopped, or still training) or ``damaged``."""
        return "damaged" if self.trouble else "finished" if self.finished else "unfinished"

    def row(self) -> list[str]:
        """The text of each of ``COLUMNS``."""
        return [_word(column, getattr(self, column)) for column in COLUMNS]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; what is not known is None."""
        date = None if self.date is None else self.date.isoformat()
        return asdict(self) | {"date": date, "state": self.state}


def runs_in(folder: str | Path = "runs") -> list[RunSummary]:
    """The runs in a folder, by name.

    Args:
        folder: a folder of run folders, or a run folder. Anything else in it is skipped.

    Raises:
        ConfigError: there is no such folder.
    """
    folder = Path(folder).expanduser()
    try:
        candidates = [folder] if _is_run(folder) else sorted(folder.iterdir())
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be listed ({error.strerror}); give the folder that holds your run folders"
        ) from error
    return [_summary(candidate) for candidate in candidates if _is_run(candidate)]


def sorted_runs(runs: Iterable[RunSummary], column: str = "date", reverse: bool = False) -> list[RunSummary]:
    """Runs sorted by one column: the best accuracy or the newest date first, anything else from small to large.

    Args:
        runs: to sort; those without a value come last in either order.
        column: one of ``COLUMNS``.
        reverse: whether to sort in the opposite order.

    Raises:
        ConfigError: there is no such column.

    >>> runs = [RunSummary("a", accuracy=0.5), RunSummary("b"), RunSummary("c", accuracy=0.9)]
    >>> [run.name for run in sorted_runs(runs, "accuracy")]
    ['c', 'a', 'b']
    """
    if column not in COLUMNS:
        raise ConfigError(f"runs have no column {column!r}; sort by {', '.join(COLUMNS)}")
    everyone = sorted(runs, key=lambda run: run.name)
    known = [run for run in everyone if getattr(run, column) is not None]
    known.sort(key=lambda run: getattr(run, column), reverse=(column in LARGEST_FIRST) != reverse)
    return known + [run for run in everyone if getattr(run, column) is None]


def _is_run(folder: Path) -> bool:
    """Whether a training has begun in the folder; False for a folder without permission to look inside."""
    try:
        return any((folder / name).is_file() for name in ("config.json", "metrics.json"))
    except OSError:
        return False


def _summary(folder: Path) -> RunSummary:
    """Everything that can be read from the folder, up to the first file that is damaged."""
    facts: dict[str, Any] = {}
    config, metrics = folder / "config.json", folder / "metrics.json"
    try:
        record = read_json(config)
        facts["date"] = _started(record) or datetime.fromtimestamp(config.stat().st_mtime).astimezone()
        facts |= pick_values(config, record, {"seed": ("seed", int), "data": ("data", str)})
        recipe = record["recipe"] if isinstance(record.get("recipe"), dict) else {}
        facts |= pick_values(config, recipe, {"recipe": ("name", str)})
        settings = record.get("settings")
        facts["settings"] = " ".join(map(str, settings)) if isinstance(settings, list) else ""
        if metrics.exists():
            facts |= pick_values(metrics, read_json(metrics), _MEASURED)
            facts["finished"] = state_of(folder) == "finished"
    except DataError as error:
        facts["trouble"] = str(error)
    return RunSummary(folder.resolve().name, **facts)


def _started(record: Mapping[str, Any]) -> datetime | None:
    """When the run began, if its record says so."""
    try:
        return datetime.fromisoformat(record["started"]).astimezone()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


_MEASURED: Mapping[str, tuple[str, type]] = {
    "accuracy": ("test_accuracy", float),
    "misses": ("misses", int),
    "n": ("n", int),
    "parameters": ("parameters", int),
    "seconds": ("fit_seconds", float),
}
"""Values from ``metrics.json``: our name -> its name there and its type."""


def _word(column: str, value: Any) -> str:
    """The text of a value in the table."""
    if value in (None, ""):
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if column == "accuracy":
        return percent(value)
    if column == "seconds":
        return number(value, 1)
    if isinstance(value, int):
        return str(value) if column == "seed" else f"{value:,}"
    return file_name(value)
