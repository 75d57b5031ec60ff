"""Writes a model's card, the ``README.md`` that model hubs show. ``models.card_text`` composes the text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from digitscope.errors import ConfigError
from digitscope.files import write_text, writing
from digitscope.models.card_text import EXAMPLES, LIBRARY, card_text
from digitscope.models.model import Model


@dataclass(frozen=True)
class Card:
    """A card that is ready to be written.

    Attributes:
        path: the ``README.md``.
        text: its content.
    """

    path: Path
    text: str

    def write(self) -> Path:
        """Write the card, whole or not at all, and return its path; a missing folder is made.

        Raises:
            ConfigError: it cannot be written.
        """
        with writing(self.path, "give another folder"):
            write_text(self.path, self.text)
        return self.path


def write_card(model: Model, beside: str | Path, licence: str | None = None) -> Path:
    """Write the card of a model, ``README.md``; an earlier card is replaced, any other ``README.md`` is not.

    Args:
        model: a run or a shipped model.
        beside: the model file that the card is for, as ``models.formats.export_model`` returns it; or a folder, for
            the card of a shipped model or of a run whose ``model.onnx`` is in it.
        licence: the licence under which you publish the model, by the name that hubs use, e.g. ``"apache-2.0"``; None
            takes that of a shipped model and gives none for a run.

    Returns:
        The path of the card.

    Raises:
        ConfigError: nothing is known about the model, or the folder cannot be written or has another ``README.md``.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    return card_beside(model, beside, licence).write()


def card_beside(model: Model, beside: str | Path, licence: str | None = None) -> Card:
    """The card that ``write_card`` would write, so that a refusal comes before the model file is written.

    Arguments and errors are those of ``write_card``; the model file need not exist yet.
    """
    given = Path(beside).expanduser()
    file = given.name if given.suffix in EXAMPLES and not given.is_dir() else None
    path = (given if file is None else given.parent) / "README.md"
    with writing(path, "give another folder"):
        old = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    if old is not None and f'\nlibrary_name: "{LIBRARY}"\n' not in old:
        raise ConfigError(f"{path} exists and is not a model card; give another folder")
    return Card(path, card_text(model, file, licence))
