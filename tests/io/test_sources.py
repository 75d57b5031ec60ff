"""What a batch reads: files, lists, and tables of paths or bytes."""

from __future__ import annotations

import builtins
import io
import os
import random
import sys
from pathlib import Path

import pytest
from PIL import Image

from digitscope.errors import ConfigError, MissingExtra
from digitscope.io import names
from digitscope.io.names import Names
from digitscope.io.sources import Source, Sources, in_parquet, table_of_bytes

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def table(path: Path, columns: dict[str, list[object]], rows: int = 100) -> str:
    parquet.write_table(pyarrow.table(columns), path, row_group_size=rows)
    return str(path)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_lists_and_tables_of_paths_stand_for_the_files_in_them(tmp_path: Path):
    odd = os.fsdecode(b"caf\xe9.png")
    Path("list.txt").write_bytes(b'b.png\r\n\n a,"1.png\n' + os.fsencode(odd) + b"\nsub/c d.png")
    Path("table.csv").write_text('id,Path\n1,x.png\n2,"y,""1"".png"\n3\n4,\n')
    table(Path("table.parquet"), {"id": [1, 2], "file": ["p.png", "q.png"]})
    listed = ["b.png", ' a,"1.png', odd, "sub/c d.png"]
    sources = Sources(["list.txt", "a.png", "*.csv", "table.parquet"])
    assert [source.content for source in sources] == [*listed, "a.png", "x.png", 'y,"1".png', "p.png", "q.png"]
    assert [source.name for source in sources][2] == repr(odd), "a name that is not Unicode is quoted"
    assert sources.count() == 9


def test_bytes_in_tables_are_files(tmp_path: Path):
    rows = [b"one", b"", None, b"four", b"five"]
    plain = table(Path("plain.parquet"), {"id": list("abcde"), "picture": rows}, rows=2)
    nested = table(
        Path("nested.parquet"),
        {"image": [{"bytes": row, "path": "x"} for row in rows[:2]] + [None], "label": [1, 2, 3]},
    )
    expected = [Source(f"plain.parquet:{row}", content or b"") for row, content in enumerate(rows, 1)]
    assert list(Sources([plain])) == expected
    assert [source.content for source in Sources([nested])] == [b"one", b"", b""], (
        "a row without bytes is kept, and bad"
    )
    assert Sources([plain, nested]).count() == 8
    assert table_of_bytes(plain) is not None and table_of_bytes("x.png") is None
    for first in range(6):
        for end in range(first, 6):
            assert list(in_parquet(plain, first, end)) == expected[first:end]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"\n\n", "holds no file to read"),
        ("a.csv", b"label,pixel0\n1,2\n", "no column of paths, named file, path, image or filename"),
        ("a.csv", b'file\n"x', "cannot be read"),
        ("a.csv", b"", "no column of paths"),
        ("a.parquet", b"PAR1 no", "not a usable Parquet file"),
    ],
)
def test_what_is_no_list_or_table_is_one_sentence(name: str, content: bytes, sentence: str):
    Path(name).write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        list(Sources([name]))


def test_what_is_not_there_is_one_sentence():
    for name in ("a.txt", "a.csv", "a.parquet", "a*.png"):
        with pytest.raises(ConfigError, match=r"^a"):
            Sources(["b.png", name])
    with pytest.raises(ConfigError, match="no column of paths"):
        Sources([table(Path("t.parquet"), {"number": [1, 2]})])


def test_without_pyarrow_a_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    found = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"pyarrow.*digitscope\[parquet\]"):
        Sources(["a.parquet"])


def test_the_standard_input_is_read(monkeypatch: pytest.MonkeyPatch):
    file = io.BytesIO()
    Image.new("L", (6, 7)).save(file, "PNG")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
    sources = Sources(["-"])
    for _ in range(2):  # once to name the annotated pages, for example
        assert list(sources) == [Source("-", file.getvalue())]


def test_a_set_of_names_is_a_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(names, "LEAST", 2)
    ours, rng, theirs = Names(), random.Random(1), set[str]()
    for _ in range(3000):
        name = f"{rng.randrange(2000)}\ud800.png"
        assert (name in ours) == (name in theirs)
        assert ours.add(name) == (name not in theirs)
        theirs.add(name)
        assert len(ours) == len(theirs)
