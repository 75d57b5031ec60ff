"""The files of the review page: every text is there once and used, and nothing is loaded that is not served."""

from __future__ import annotations

import json
import re

from digitscope.review.items import DIGIT, LINE, Action
from digitscope.web.review.files import review_files


def test_every_text_is_there_and_used():
    files = {name: content.decode() for name, content in review_files().items()}
    texts = json.loads(files["strings.en.json"])
    code = files["review.js"]
    used = set(re.findall(r'"([a-z]+(?:\.[a-z]+)*)"', code)) | {"percent"}
    used |= {f"saved.{action.value}" for action in Action if action not in (Action.TEXT, Action.UNDO)}
    used |= {f"wrong.{kind}" for kind in (DIGIT, LINE)}
    named = set(re.findall(r'words\("([^"]+)"', code))
    assert named <= set(texts) and set(texts) <= used


def test_the_page_loads_what_is_served_and_has_no_script_of_its_own():
    files = review_files()
    page = files["index.html"].decode()
    loaded = re.findall(r'(?:src|href)="([^":]+)"', page)
    assert loaded and set(loaded) <= set(files)
    assert not re.search(r"<script>|style=|onclick=", page)
