"""How far a training of the line reader is, kept beside its network so that it can go on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from digitscope.errors import ConfigError, DataError, first_line
from digitscope.preprocessing.line import ALPHABET, OTHER

OLD_ALPHABET = ALPHABET.removesuffix(OTHER)
"""The characters of networks that were trained before there was one for other marks."""


@dataclass(eq=False)
class State:
    """How far a training is, as ``history.json`` keeps it.

    Attributes:
        seconds: of the fit.
        lines: seen, repeated ones counted again.
        next: number of the next line to be made.
        trajectories: whether recorded writers are among those of the lines.
        real: SHA-256 of the table of the real lines that are mixed in; empty if there are none.
        alphabet: the characters that the network knows.
        history: a row for every save.
    """

    seconds: float = 0.0
    lines: int = 0
    next: int = 0
    trajectories: bool = False
    real: str = ""
    alphabet: str = ALPHABET
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> State:
        """The state in a ``history.json``; one of an older version has neither trajectories nor other marks.

        Raises:
            DataError: it is damaged.
        """
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            seconds, lines, following = float(kept["seconds"]), int(kept["lines"]), int(kept["next"])
            used, alphabet = bool(kept.get("trajectories", False)), str(kept.get("alphabet", OLD_ALPHABET))
            real = str(kept.get("real", ""))
            return cls(seconds, lines, following, used, real, alphabet, list(kept["history"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{path} is damaged ({first_line(error)}); delete it to start the training again"
            ) from error


def state_in(folder: Path, trajectories: bool, resume: bool, real: str = "") -> State:
    """How far the training in a folder is; a new state if there is none, or if it is not to be continued.

    Args:
        folder: of the training.
        trajectories: whether recorded writers are among those of the lines.
        resume: whether to continue it.
        real: SHA-256 of the table of real lines; empty if there are none.

    Raises:
        ConfigError: it cannot be continued in this way.
        DataError: it is damaged.
    """
    path = folder / "history.json"
    if not (resume and path.is_file() and (folder / "reader.keras").is_file()):
        return State(trajectories=trajectories, real=real)
    state = State.read(path)
    if state.alphabet != ALPHABET:
        raise ConfigError(
            f"the training in {folder} knows the characters {state.alphabet!r}, and this version {ALPHABET!r}; set out "
            "to another folder"
        )
    if state.trajectories != trajectories:
        was = "with" if state.trajectories else "without"
        raise ConfigError(
            f"the training in {folder} was started {was} pen trajectories; resume it so, or set out to another folder"
        )
    if state.real != real:
        was = "with other real lines" if state.real and real else "with real lines" if state.real else "without any"
        raise ConfigError(
            f"the training in {folder} was started {was}; resume it with the same corrections, or set out to another "
            "folder"
        )
    return state
