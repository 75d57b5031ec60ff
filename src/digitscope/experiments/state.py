"""What a run folder holds, and whether the training in it is the one that is asked for.

It reads small files only and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from digitscope.errors import ConfigError, DataError
from digitscope.models.course import COURSE
from digitscope.models.run_folder import DETECTOR, read_json
from digitscope.training.recipes import Recipe, setting_text

CHECKPOINT = "checkpoint.npz"
"""The file that only an unfinished run holds, rewritten after every epoch."""

RUN_FILES = ("metrics.json", CHECKPOINT, "config.json", "history.csv", COURSE, "model.keras", "model.onnx",
             "evaluation.json", DETECTOR, "lens.html", "report.html")  # fmt: skip
"""The files that a training writes; ``metrics.json`` comes first, because it says that the run was measured."""

OWN = {*RUN_FILES, "figures"}
"""What stands in a run folder."""

State = Literal["empty", "foreign", "unfinished", "finished"]


def state_of(folder: Path) -> State:
    """What a folder holds.

    Returns:
        ``finished``: a run with all its files; ``unfinished``: a run with a checkpoint to resume from; ``foreign``:
        files that no training wrote; ``empty``: none of these, which includes a folder that does not exist and a run
        that was stopped in its first epoch.
    """
    if (folder / CHECKPOINT).exists():
        return "unfinished"
    if (folder / "metrics.json").exists():
        return "finished"
    return "empty" if foreign_file(folder) is None else "foreign"


def foreign_file(folder: Path) -> str | None:
    """A file in a folder whose ``config.json`` no training wrote, one that a training would overwrite if there is any.

    Hidden files do not count: a training that was killed at its first one leaves such.
    """
    try:
        if {"recipe", "seed", "data_sha256"} <= set(read_json(folder / "config.json")):
            return None
    except DataError:
        pass
    return next((name for name in RUN_FILES if (folder / name).exists()), None) or other_file(folder)


def other_file(folder: Path) -> str | None:
    """A file in a folder, or below it, that is none of those that a training writes; None if there is none."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return next((str(path) for path in found if path.name[0] != "." and path.parts[0] not in OWN), None)


def check_replaceable(folder: Path, state: State, overwrite: bool) -> None:
    """Make sure that a new run may be put into a folder.

    Args:
        folder: where.
        state: of the folder.
        overwrite: whether a run in it, or single files that are called like those of a run, may be replaced.

    Raises:
        ConfigError: they may not, or the folder holds other files and no run.
    """
    if state == "foreign" and (found := other_file(folder)) is not None:
        raise ConfigError(f"{folder} contains {found} and no run; set out to another folder")
    if state == "empty" or overwrite:
        return
    if state == "unfinished":
        raise ConfigError(f"{folder} contains an unfinished run; set resume to continue it, or overwrite to replace it")
    what = "finished run" if state == "finished" else f"{foreign_file(folder)} that no training wrote"
    raise ConfigError(f"{folder} contains a {what}; set out to another folder, or overwrite to replace it")


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """The values of a recipe, its name first and under ``recipe``, as ``difference`` takes them."""
    return {"recipe": recipe.name} | {key: value for key, value in asdict(recipe).items() if key != "name"}


def difference(begun: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[str, str] | None:
    """The settings in which an earlier training differs from what is asked for now, as two texts.

    Args:
        begun: setting -> value, from the folder.
        asked: setting -> value, of this call.

    Returns:
        The differing settings of each as text; only the recipe's name if that differs, since the rest follows from it.
        None if nothing differs.

    >>> difference({"recipe": "classic", "epochs": 3, "seed": 0}, {"recipe": "classic", "epochs": 2, "seed": 0})
    ('epochs=3', 'epochs=2')
    """
    keys = [key for key in asked if begun.get(key) != asked[key]]
    if "recipe" in keys:
        keys = ["recipe"]
    if not keys:
        return None
    was, now = (", ".join(f"{key}={setting_text(values.get(key))}" for key in keys) for values in (begun, asked))
    return was, now
