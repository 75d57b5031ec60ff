"""The page as one HTML file, with its files in place of the references to them, and the model read back from it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import zlib
from typing import Any

from digitscope.web.lens.stages import packed


def self_contained(texts: dict[str, str]) -> str:
    """``index.html`` with the contents of every file that it refers to, and a policy that allows nothing else.

    It refers to them as ``<link rel="stylesheet" href="NAME">``, ``<script src="NAME"></script>`` and, for JSON, as an
    empty ``<script type="application/json" data-file="NAME"></script>``. ``model.json`` is put there packed (see
    ``web.lens.stages``), which halves the file; ``files.js`` unpacks it.

    Raises:
        KeyError: it refers to a file that is not among the texts.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def allowed(kind: str, text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        hashes[kind].append(f"'sha256-{digest}'")
        return text

    def style(match: re.Match[str]) -> str:
        return f"<style>{allowed('style', texts[match[1]])}</style>"

    def script(match: re.Match[str]) -> str:
        return f'<script data-file="{match[1]}">{allowed("script", texts[match[1]])}</script>'

    def values(match: re.Match[str]) -> str:
        if match[2] == "model.json":
            return f'{match[1][:-1]} data-packed="gzip">{packed(texts[match[2]].encode())}</script>'
        return f"{match[1]}{texts[match[2]].replace('<', chr(92) + 'u003c')}</script>"

    page = texts["index.html"]
    page = re.sub(r'<link rel="stylesheet" href="([\w.-]+)">', style, page)
    page = re.sub(r'<script(?: defer)? src="([\w.-]+)"(?: defer)?></script>', script, page)
    page = re.sub(r'(<script type="application/json" data-file="([\w.-]+)">)\s*</script>', values, page)
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    charset = '<meta charset="utf-8">'
    return page.replace(charset, f'{charset}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def model_in(page: str) -> dict[str, Any] | None:
    """What ``model.json`` says in a page that ``self_contained`` made; None if it cannot be understood."""
    found = re.search(r'data-file="model\.json" data-packed="gzip">([^<]*)</script>', page)
    try:
        values = json.loads(gzip.decompress(base64.b64decode(found[1], validate=True))) if found else None
    except (ValueError, EOFError, OSError, zlib.error):
        return None
    return values if isinstance(values, dict) else None
