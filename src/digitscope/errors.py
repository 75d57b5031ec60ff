"""The exceptions Digitscope raises for input it cannot use. Not for refusals: a digit it cannot read is a result.

    DigitscopeError
    ├── ImageError      (ValueError)   a picture that cannot be decoded or is unusable
    ├── ModelError      (ValueError)   a model file that is damaged, hostile or of the wrong shape
    ├── DataError       (ValueError)   a dataset that is damaged, incomplete or of the wrong shape
    ├── ConfigError     (ValueError)   a recipe, option or value that does not exist or does not fit
    └── MissingExtra    (ImportError)  an optional part of Digitscope that is not installed

Every message says in one sentence what was received, what was expected and how to fix it.
"""

from __future__ import annotations

EXTRAS = {
    "parquet": ("pyarrow",),
    "scale": ("ray",),
    "serve": (
        "fastapi",
        "starlette",
        "uvicorn",
        "httptools",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "prometheus_client",
        "python_multipart",
    ),
    "torch": ("torch",),
    "jax": ("jax", "jaxlib"),
    "train": ("keras", "tensorflow", "jinja2", "matplotlib", "seaborn", "sklearn", "scipy", "onnx", "tf2onnx"),
}
"""The modules that each extra installs."""

LONGEST = 600
"""Characters of the longest message; a longer one loses its middle."""


class DigitscopeError(Exception):
    """Base of everything Digitscope raises on purpose."""

    def __init__(self, sentence: str) -> None:
        """Keep the message short and printable: names and values in it may come from a damaged file.

        Args:
            sentence: the message, of any length.
        """
        text = printable(sentence)
        half = LONGEST // 2
        super().__init__(text if len(text) <= LONGEST else f"{text[: half - 5]} ... {text[-half:]}")


class ImageError(DigitscopeError, ValueError):
    """A picture that cannot be decoded or is unusable."""


class ModelError(DigitscopeError, ValueError):
    """A model file that is damaged, hostile or of the wrong shape."""


class DataError(DigitscopeError, ValueError):
    """A dataset that is damaged, incomplete or of the wrong shape."""


class ConfigError(DigitscopeError, ValueError):
    """A recipe, option or value that does not exist or does not fit."""


class MissingExtra(DigitscopeError, ImportError):
    """An optional part of Digitscope that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Say what is missing and which extra installs it.

        Args:
            what: the package or feature that is missing, e.g. ``"Keras"``.
            extra: the extra to install, e.g. ``"train"``.
        """
        super().__init__(f'{what} is not installed; install it with: pip install "digitscope[{extra}]"')
        self._given = what, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """How it is sent from one process to another."""
        return type(self), self._given

    @classmethod
    def of(cls, error: ModuleNotFoundError) -> MissingExtra | None:
        """The error that names the extra to install for a module that was not found; None if no extra has it."""
        name = (error.name or "").partition(".")[0]
        extra = next((extra for extra, modules in EXTRAS.items() if name in modules), None)
        return None if extra is None else cls(name, extra)


def first_line(error: Exception) -> str:
    """The first line of an error's text, made printable; the error's type if it has no text.

    Of an error of the system it is what happened, without its number and the file, which the message names anyway.

    >>> first_line(ValueError(f"bad {chr(27)} name."))
    'bad   name'
    >>> first_line(FileNotFoundError(2, "No such file or directory", "a.png"))
    'No such file or directory'
    """
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return printable((text.strip().splitlines() or [type(error).__name__])[0][:300]).rstrip(".")


def printable(text: str) -> str:
    """A text with a space for every character that cannot be printed, such as those that move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
