"""How the files of a batch are read: what every process of it opens its reader with, and what its results keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from digitscope import __version__, files
from digitscope.errors import ConfigError, first_line
from digitscope.io.page import SCHEMA, Page
from digitscope.reading.engine_rapidocr import installed_network
from digitscope.reading.reader import DIGIT_MODEL, Reader

ReadFile = Callable[[str | bytes, str], Iterable[Page]]
"""A function that reads a file, given its path or its bytes and a name for it, as ``Reader.read_file`` is."""

DIGITS, PAGES = 32, 4
"""Files that a worker process is given at a time: single digits, which take some milliseconds each, and others."""

COMPLETE = "complete"
"""The entry beside the options that says how many bytes of the results need not be read again."""


@dataclass(frozen=True)
class ReadOptions:
    """What ``Reader`` and ``Reader.read_file`` take, as plain values that can be sent and stored."""

    single: bool = False
    length: int | None = None
    pattern: str | None = None
    max_value: int | None = None
    rotate: int | None = None
    min_confidence: float | None = None
    engine: str = "auto"
    model: str = DIGIT_MODEL

    @property
    def chunk(self) -> int:
        """Files that a worker process is given at a time: some tens of milliseconds of work."""
        return DIGITS if self.single else PAGES

    def check(self) -> None:
        """Make sure that files can be read in this way.

        Raises:
            DigitscopeError: as ``Reader`` and ``Reader.read_file``.
        """
        self.open()(b"", "")

    def open(self) -> ReadFile:
        """A function that reads files in this way.

        Raises:
            DigitscopeError: as ``Reader``.
        """
        reader = Reader(self.model, self.engine, self.min_confidence)
        return partial(
            reader.read_file,
            single=self.single,
            rotate=self.rotate,
            length=self.length,
            pattern=self.pattern,
            max_value=self.max_value,
        )

    def record(self) -> dict[str, Any]:
        """Everything that decides what is read, as JSON values: a network of one's own stands there with its hash."""
        engine = self.engine if self.engine != "auto" else "own" if installed_network() is None else "ocr"
        network = _named(self.model) if self.single else _named(engine)
        kept = {key: value for key, value in asdict(self).items() if key not in ("engine", "model")}
        return {"schema": SCHEMA, "digitscope": __version__, **kept, "model" if self.single else "engine": network}


def _named(network: str) -> str:
    """A network's name; for one in a file, its hash too."""
    path = Path(network).expanduser()
    path = path / "model.onnx" if path.is_dir() else path
    return f"{network} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]})" if path.is_file() else network


def keep_options(results: Path, options: Mapping[str, Any], resumed: bool, complete: int | None = None) -> None:
    """Store the options of a batch beside its results, after a check that results are resumed with the same ones.

    Args:
        results: their file or folder; the options are in ``NAME.options.json`` beside it.
        options: what ``ReadOptions.record`` returns.
        resumed: whether there are results already. If no options lie beside them, these are taken for theirs.
        complete: bytes at the start of a file of results that hold all rows of each of their files.

    Raises:
        ConfigError: the results have other options, or options that cannot be read.
    """
    path = _options_path(results)
    if resumed and path.exists():
        try:
            kept = _stored(path)
            differing = [key for key in {**options, **kept} if key != COMPLETE and kept.get(key) != options.get(key)]
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"{path} cannot be used ({first_line(error)}); give another name for the results"
            ) from error
        if differing:
            was, now = (
                ", ".join(f"{key}={found[key]}" for key in differing if key in found) for found in (kept, options)
            )
            raise ConfigError(
                f"{results} was begun with {was}, not with {now}; resume it with the same, or give another name"
            )
    files.write_json(path, {**options, **({} if complete is None else {COMPLETE: complete})})


def complete_bytes(results: Path) -> int:
    """The bytes at the start of a file of results that were noted as complete; 0 if none were."""
    try:
        return int(_stored(_options_path(results))[COMPLETE])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return 0  # nothing was noted, or ``keep_options`` refuses the file


def _options_path(results: Path) -> Path:
    return results.with_name(f"{results.name}.options.json")


def _stored(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
