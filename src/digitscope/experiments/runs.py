"""The run folders that trainings have left, as a list to sort and look through. Opens no model and draws nothing.

Only the small files of a run are read, with what Python brings, so that the list is there at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from digitscope.errors import ConfigError, DataError
from digitscope.formatting import file_name
from digitscope.models.run_folder import facts_of, read_record

COLUMNS = (
    "name", "recipe", "settings", "seed", "data", "accuracy", "misses", "parameters", "seconds", "state", "date",
)  # fmt: skip
"""The columns of the table, all of which it can be sorted by."""


LARGEST_FIRST = ("accuracy", "date")
"""Columns whose most wanted value is the largest."""


@dataclass(frozen=True)
class RunSummary:
    """One run folder. What it does not tell, because the training is not finished or a file is damaged, is None.

    Attributes:
        name: of the folder.
        recipe: name of the recipe.
        settings: what is not as the recipe has it, e.g. ``pooling=average epochs=3``.
        seed: of the training.
        data: the dataset, as ``--data`` was given.
        accuracy: part 0..1 of the test images that is read right.
        misses: test images that are not.
        n: test images.
        parameters: of the network.
        seconds: what the fit took.
        finished: whether everything is written.
        date: when the training began; of a run that does not tell, when its ``config.json`` was written.
        trouble: what is wrong with the folder, one sentence; empty where nothing is.
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
        """``finished``, ``unfinished`` (stopped, or still at work) or ``damaged``."""
        return "damaged" if self.trouble else "finished" if self.finished else "unfinished"

    def row(self) -> list[str]:
        """A word for each of ``COLUMNS``."""
        return [_word(column, getattr(self, column)) for column in COLUMNS]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON takes it; what is not known is None."""
        date = None if self.date is None else self.date.isoformat()
        return asdict(self) | {"date": date, "state": self.state}


def runs_in(folder: str | Path = "runs") -> list[RunSummary]:
    """The runs in a folder, by name.

    Args:
        folder: with run folders in it, or a run folder itself. What is neither is passed over.

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
    """Runs by one column: the best accuracy and the newest date first, anything else from small to large.

    Args:
        runs: to sort; those that have no value stand last either way.
        column: one of ``COLUMNS``.
        reverse: the other way round.

    Raises:
        ConfigError: there is no such column.

    >>> runs = [RunSummary("a", accuracy=0.5), RunSummary("b"), RunSummary("c", accuracy=0.9)]
    >>> [run.name for run in sorted_runs(runs, "accuracy")]
    ['c', 'a', 'b']
    """
    if column not in COLUMNS:
        raise ConfigError(f"runs have no column {column!r}; sort by {', '.join(COLUMNS)}")
    everyone = sorted(runs, key=lambda run: run.name)
    told = [run for run in everyone if getattr(run, column) is not None]
    told.sort(key=lambda run: getattr(run, column), reverse=(column in LARGEST_FIRST) != reverse)
    return told + [run for run in everyone if getattr(run, column) is None]


def _is_run(folder: Path) -> bool:
    """Whether a training has begun in the folder; one that may not be looked into counts as none."""
    try:
        return any((folder / name).is_file() for name in ("config.json", "metrics.json"))
    except OSError:
        return False


def _summary(folder: Path) -> RunSummary:
    """All that the folder tells, up to the first thing that is wrong with it."""
    facts: dict[str, Any] = {}
    config, metrics = folder / "config.json", folder / "metrics.json"
    try:
        record = read_record(config)
        facts["date"] = _started(record) or datetime.fromtimestamp(config.stat().st_mtime).astimezone()
        facts |= facts_of(config, record, {"seed": ("seed", int), "data": ("data", str)})
        recipe = record["recipe"] if isinstance(record.get("recipe"), dict) else {}
        facts |= facts_of(config, recipe, {"recipe": ("name", str)})
        settings = record.get("settings")
        facts["settings"] = " ".join(map(str, settings)) if isinstance(settings, list) else ""
        if metrics.exists():
            facts |= facts_of(metrics, read_record(metrics), _MEASURED)
            facts["finished"] = not (folder / "checkpoint.npz").exists()
    except DataError as error:
        facts["trouble"] = str(error)
    return RunSummary(folder.resolve().name, **facts)


def _started(record: Mapping[str, Any]) -> datetime | None:
    """When a run says that it began."""
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
"""What is taken from ``metrics.json``: our name -> its name and type."""


def _word(column: str, value: Any) -> str:
    """A value as the table shows it."""
    if value in (None, ""):
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if column == "accuracy":
        return f"{100 * value:.2f} %"
    if column == "seconds":
        return f"{value:,.1f}"
    if isinstance(value, int):
        return str(value) if column == "seed" else f"{value:,}"
    return file_name(value)
