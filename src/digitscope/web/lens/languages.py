"""Which languages the page can speak, and which of them are put into one.

All words of the page stand in ``static/strings.en.json``; ``strings.de.json`` and so on say the same in other
languages. English is in every page, the others only where somebody asks for them. ``static/language.js`` chooses among
those that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from digitscope.errors import ConfigError

ENGLISH = "en"
"""The language that is in every page."""

PREFIX, SUFFIX = "strings.", ".json"
"""Before and after the ISO 639-1 code of a language in the name of its file."""


def languages(names: Iterable[str]) -> list[str]:
    """The languages, besides English, of which there is a file.

    >>> languages(["strings.en.json", "strings.tr.json", "index.html", "strings.de.json"])
    ['de', 'tr']
    """
    found = {name.removeprefix(PREFIX).removesuffix(SUFFIX) for name in names if name.startswith(PREFIX)}
    return sorted(found - {ENGLISH})


def in_languages(files: Mapping[str, bytes], chosen: Sequence[str] = ()) -> dict[str, bytes]:
    """The page's files without those of other languages; ``index.html`` refers to those that are left.

    Args:
        files: name -> contents, every language among them.
        chosen: the languages to keep besides English.

    Raises:
        ConfigError: there is no such language.
    """
    there = languages(files)
    for code in chosen:
        if code not in (ENGLISH, *there):
            raise ConfigError(f"the page has no language {code!r}; give one of {', '.join(there)}")
    left_out = {f"{PREFIX}{code}{SUFFIX}" for code in there if code not in chosen}
    kept = {name: content for name, content in files.items() if name not in left_out}
    references = [_reference(code) for code in (ENGLISH, *(code for code in there if code in chosen))]
    kept["index.html"] = kept["index.html"].replace(references[0], b"\n".join(references))
    return kept


def _reference(code: str) -> bytes:
    """The element of ``index.html`` that refers to the words of a language."""
    return f'<script type="application/json" data-file="{PREFIX}{code}{SUFFIX}"></script>'.encode()
