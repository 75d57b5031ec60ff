from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from digitscope.cli import main
from digitscope.datasets.mnist import load_mnist
from digitscope.files import write_bytes


def process(*words: object, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """The command as a user starts it, in a process of its own."""
    program = [sys.executable, "-c", "from digitscope.cli import main; main()", *map(str, words)]
    done = subprocess.run(program, input=given, capture_output=True, check=False)
    return subprocess.CompletedProcess(program, done.returncode, done.stdout.decode(), done.stderr.decode())


def run(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same command in this process, which has imported everything already."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    arguments = ["digitscope", *map(str, words)]
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        patch.setattr(sys, "argv", arguments)
        patch.chdir(cwd or Path.cwd())
        main()
    said = [stream.detach().getvalue().decode() for stream in (out, err) if stream.flush() is None]
    return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), *said)


@pytest.fixture(scope="module")
def sevens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a 7, a blank sheet and a file that is no picture."""
    folder = tmp_path_factory.mktemp("images")
    Image.fromarray(255 - load_mnist()[1][0][0]).resize((112, 112)).save(folder / "seven.png")
    Image.new("L", (90, 60), 240).save(folder / "blank.jpg")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    return folder


def test_text(sevens: Path):
    done = process("read", "--single", sevens / "seven.png", sevens / "blank.jpg")
    assert done.returncode == 0, done.stderr
    seven, blank = done.stdout.splitlines()
    assert seven.startswith(f"{sevens / 'seven.png'}: 7  (")
    assert blank == f"{sevens / 'blank.jpg'}: refused: blank"


def test_jsonl_is_the_schema(sevens: Path):
    done = run("read", "--single", "--format", "jsonl", sevens / "seven.png")
    record = json.loads(done.stdout)
    assert list(record) == [
        "schema", "file", "page", "width", "height", "rotation", "text", "confidence", "numbers", "milliseconds",
        "error", "engine",
    ]  # fmt: skip
    assert record["engine"] is None, "a single digit is read by no engine for lines"
    assert (record["schema"], record["width"], record["height"], record["text"]) == (1, 112, 112, "7")
    (number,) = record["numbers"]
    assert list(number) == [
        "text", "best_guess", "written", "confidence", "digit_probability", "box", "refused", "reason", "line",
        "digits",
    ]  # fmt: skip
    (digit,) = number["digits"]
    assert list(digit) == ["text", "box", "probabilities"]
    assert max(range(10), key=digit["probabilities"].__getitem__) == 7
    assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_csv_and_a_bad_file_among_good_ones(sevens: Path):
    done = process("read", "--single", "--format", "csv", *sorted(sevens.iterdir()))
    assert done.returncode == 2
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["text"] for row in rows] == ["", "", "7"]
    assert rows[0]["reason"] == "blank"
    assert "broken.png" in rows[1]["error"]
    assert "1 of 3" in done.stderr


PAGES = Path(__file__).parents[2] / "examples" / "pages"


def test_a_page_of_numbers_is_read_and_drawn(tmp_path: Path):
    done = run("read", PAGES / "numbers.jpg", "--format", "jsonl", "--annotate", tmp_path / "drawn")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    with (PAGES / "truth.csv").open(newline="") as file:
        truth = [(int(row["line"]), row["text"]) for row in csv.DictReader(file) if row["file"] == "numbers.jpg"]
    found = [(number["line"], number["best_guess"]) for number in record["numbers"]]
    assert sum(a == b for a, b in zip(found, truth, strict=True)) >= 10
    assert record["rotation"] == 0
    with Image.open(tmp_path / "drawn" / "numbers.jpg") as drawn:
        assert drawn.width >= record["width"]


def test_a_page_that_cannot_be_drawn_is_read_all_the_same(tmp_path: Path):
    (tmp_path / "drawn" / "amount.jpg").mkdir(parents=True)
    words = ["read", PAGES / "amount.png", PAGES / "numbers.jpg", "--annotate", tmp_path / "drawn"]
    done = run(*words)
    assert done.returncode == 2 and "amount.png: 248650" in done.stdout
    assert "1 page read but not annotated; first: " in done.stderr and "amount.png page 1 (" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and (tmp_path / "drawn" / "numbers.jpg").is_file()
    done = run(*words, "--out", tmp_path / "results.jsonl")
    assert done.returncode == 2 and "amount.png page 1 (" in done.stderr
    records = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [record["error"] for record in records] == [None, None] and records[0]["text"] == "248650"


def test_a_place_for_drawings_is_looked_at_before_anything_is_read(tmp_path: Path):
    (tmp_path / "file").touch()
    done = run("read", PAGES / "amount.png", "--annotate", tmp_path / "file", "--out", tmp_path / "results.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written (File exists); give another folder for the annotated pages" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_number_of_known_length_and_form():
    done = run("read", PAGES / "amount.png", "--length", "6", "--separators")
    assert "2486.50" in done.stdout, done.stderr
    done = run("read", PAGES / "amount.png", "--pattern", "#-#", "--min-confidence", "1", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert len(row["best_guess"]) == 2 and row["refused"] == "True"


def test_a_folder_goes_into_a_results_file_that_is_resumed(sevens: Path, tmp_path: Path):
    out = tmp_path / "results.csv"
    first = run("read", "--single", sevens / "seven.png", "--out", out)
    assert first.returncode == 0, first.stderr
    again = run("read", "--single", sevens, "--out", out)
    assert again.returncode == 2 and "set --resume to continue it" in again.stderr
    done = run("read", "--single", sevens, "--out", out, "--resume")
    assert done.returncode == 2 and "1 of 2 files" in done.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert sorted(Path(row["file"]).name for row in rows) == ["blank.jpg", "broken.png", "seven.png"]


def test_bad_files_are_recorded_skipped_or_stop_the_batch(sevens: Path, tmp_path: Path):
    pytest.importorskip("pyarrow")
    files = [str(sevens / name) for name in ("seven.png", "broken.png", "blank.jpg")]
    (tmp_path / "list.txt").write_text("\n".join(files))

    def read(how: str, *words: object) -> tuple[int, str, list[str]]:
        out = tmp_path / f"{how}.csv"
        done = run("read", tmp_path / "list.txt", "--single", "--out", out, "--on-error", how, *words)
        return done.returncode, done.stderr, [row["file"] for row in csv.DictReader(io.StringIO(out.read_text()))]

    code, said, named = read("record", "--workers", "2")
    assert (code, named) == (2, files) and "1 of 3 files could not be read in full; each has its reason" in said
    code, said, named = read("skip")
    assert (code, named) == (
        0,
        [files[0], files[2]],
    ) and "1 of 3 files could not be read in full and was skipped" in said
    code, said, named = read("stop")
    assert (code, named) == (2, files[:1]) and "stopped, as --on-error asks: " in said and "broken.png" in said
    done = run(
        "read", tmp_path / "list.txt", "--single", "--out", tmp_path / "skip.csv", "--resume", "--min-confidence", 0
    )
    assert done.returncode == 2 and "was begun with min_confidence=None, not with min_confidence=0.0" in done.stderr
    done = run("read", tmp_path / "list.txt", "--single", "--out", tmp_path / "x.parquet")
    assert done.returncode == 2 and (tmp_path / "x.parquet" / "part-000000.parquet").is_file()


def test_a_table_of_pixels_becomes_a_submission(tmp_path: Path):
    images, labels = load_mnist()[1]
    rows = [",".join(f"pixel{i}" for i in range(784)), *(",".join(map(str, image.ravel())) for image in images[:20])]
    (tmp_path / "test.csv").write_text("\n".join(rows) + "\n")
    expected = ["ImageId,Label", *(f"{row},{label}" for row, label in enumerate(labels[:20], 1))]
    refusal = f"digitscope: {tmp_path} cannot be written (it is a folder); give another file\n"
    for number, words in enumerate((["submit"], ["read", "--format", "kaggle"])):
        out = tmp_path / f"{number}.csv"
        done = run(*words, tmp_path / "test.csv", "--out", out)
        assert done.returncode == 0, done.stderr
        assert out.read_text().split() == expected and done.stdout == f"20 answers in {out}\n"
        assert ("read --format kaggle is now digitscope submit" in done.stderr) == (words[0] == "read")
        done = run(*words, tmp_path / "test.csv", "--out", tmp_path)
        assert (done.returncode, done.stderr) == (2, refusal)
    done = run("submit", "test.csv", "--model", "classic", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "submission.csv").read_text().split() == expected, done.stderr


def test_the_standard_input_is_read(sevens: Path):
    done = process("read", "--single", "-", given=(sevens / "seven.png").read_bytes())
    assert done.returncode == 0 and done.stdout.startswith("-: 7  ("), done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["evaluate", "nothing"], "no model 'nothing'"),
        (["evaluate", "classic", "--seed", "3"], "--seed 3 is for --suite corruptions"),
        (["evaluate", "classic", "--suite", "geometry", "--seed", "3"], "--seed 3 is for --suite corruptions"),
        (["evaluate", "classic", "--suite", "geometry", "--out", "/proc/nowhere"], "give another folder"),
        (["train", "--recipe", "best"], "no recipe 'best'"),
        (["train", "--set", "epochs"], "KEY=VALUE"),
        (["train", "--set", "epochs=few"], "a whole number"),
        (["train", "--data", "nowhere"], "no dataset 'nowhere'"),
        (["look", "test:10000"], "test:10000"),
        (["look", "nothing.png"], "nothing.png"),
        (["look", "train:-1"], "images go from train:0 to train:59999"),
        (["report", "nope"], "cannot be read (No such file or directory); give a finished training"),
        (["train-reader", "--corrections", "nope"], "labels.csv cannot be read (No such file or directory); give"),
        (["train", "--resume"], "set --out to it"),
        (["train", "--resume", "--overwrite", "--out", "x"], "set --resume or --overwrite, not both"),
        (["read", "x.png", "--format", "csv", "--out", "x.jsonl"], "--format csv does not go with x.jsonl"),
        (["read", "x.png", "--format", "jsonl", "--out", "x.parquet"], "--format jsonl does not go with x.parquet"),
        (["read", "x.png", "--format", "text", "--out", "x.csv"], "--format text is printed; leave it out"),
        (["read", "--single", "--model", "nothing", "x.png"], "no model 'nothing'"),
        (["data", "--image", "60000"], "60000"),
        (["read", "x.png", "--engine", "magic"], "own or ocr"),
        (["read", "x.png", "--pattern", "abc"], "no place for a digit"),
        (["read", "x.png", "--min-confidence", "2"], "0 to 1"),
        (["read", "x.png", "--resume"], "--out"),
        (["read", "--single", "x.png", "--length", "3"], "leave out --length"),
        (["read", "--single", "x.png", "--engine", "ocr"], "--rotate and --engine"),
        (["read", "x.png", "--model", "classic"], "give --single with it"),
        (["read", "x.png", "--separators", "--format", "csv"], "--separators is for printed text"),
        (["read", "x.png", "--separators", "--out", "x.jsonl"], "--separators is for printed text"),
        (["read", "x.png", "--annotate", "/proc/nowhere"], "another folder for the annotated pages"),
        (["read", "x.png", "--annotate", "drawn", "--workers", "2"], "leave out --workers"),
        (["read", "x.png", "--ray", "local"], "give --out results.parquet"),
        (["read", "missing.txt"], "missing.txt cannot be read"),
        (["read", "."], "holds no file"),
        (["read", "test.csv"], "digitscope submit reads tables of pixels"),
        (["submit", "-"], "does not read the standard input"),
        (["submit", "missing.csv"], "missing.csv"),
        (["read", "-", "--format", "kaggle"], "does not read the standard input"),
        (["read", "a.csv", "b.csv", "--format", "kaggle"], "takes one table or folder, not 2"),
        (
            ["read", "x.csv", "--format", "kaggle", "--resume", "--length", "3", "--min-confidence", "0", "--single"],
            "--single, --min-confidence, --length, --resume cannot be given with --format kaggle",
        ),
        (["train", "--recipe", "reader", "--set", "epochs=3"], "it has lines"),
        (["train", "--recipe", "reader", "--epochs", "3", "--page"], "--epochs, --page cannot be given"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_2(words: list[str], sentence: str, tmp_path: Path):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not done.stdout, done.stderr
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_train_says_how_good_it_is_and_leaves_a_whole_run(small_run: Path):
    said, complained = (small_run.with_suffix(suffix).read_text() for suffix in (".out", ".err"))
    metrics = json.loads((small_run / "metrics.json").read_text())
    assert f"Test loss: {metrics['test_loss']:.4f}\nTest accuracy: {metrics['test_accuracy']:.4f}\n" in said
    assert metrics["n"] == 1000
    assert metrics["misses"] == round(1000 * (1 - metrics["test_accuracy"]))
    for name in (
        "config.json",
        "history.csv",
        "model.keras",
        "model.onnx",
        "evaluation.json",
        "report.html",
        "figures",
    ):
        assert (small_run / name).exists(), name
    assert "oneDNN" not in complained
    assert "Traceback" not in complained
    again = run("train", "--data", small_run.with_suffix(".npz"), "--epochs", "1", "--out", small_run)
    assert (again.returncode, "or --overwrite to replace it" in again.stderr) == (2, True)
    assert json.loads((small_run / "metrics.json").read_text()) == metrics, "the finished run is untouched"


def test_evaluate_json(small_run: Path):
    done = run("evaluate", small_run, "--json")
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(done.stdout)
    assert evaluation["n"] == 10_000
    assert evaluation["misses"] == sum(sum(row) for row in evaluation["confusion"]) - sum(
        row[i] for i, row in enumerate(evaluation["confusion"])
    )


def test_evaluate_suites_print_tables_and_write_figures_and_numbers(tmp_path: Path):
    import numpy as np

    images, labels = load_mnist()[1]
    np.savez(tmp_path / "own.npz", x=images[:100], y=labels[:100])
    words = ("evaluate", "classic", "--data", "own.npz")
    done = run(*words, "--suite", "corruptions", "--out", "drawn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mean of the corruptions" in done.stdout and "canny edges" in done.stdout
    written = json.loads((tmp_path / "drawn" / "corruptions.json").read_text())
    assert (written["model"], written["data"], written["suite"], written["seed"]) == (
        "classic",
        "own.npz",
        "corruptions",
        0,
    )
    assert (tmp_path / "drawn" / "corruptions-samples.png").exists()
    other = run(*words, "--suite", "corruptions", "--seed", "1", "--json", cwd=tmp_path)
    assert json.loads(other.stdout)["clean"] == written["clean"]
    assert json.loads(other.stdout)["accuracies"] != written["accuracies"]
    done = run(*words, "--suite", "geometry", cwd=tmp_path)
    assert "rotation   -90" in done.stdout and "stroke" in done.stdout and done.returncode == 0, done.stderr


def test_look_asks_to_crop_a_digit_that_is_small_for_its_picture():
    done = run("look", PAGES / "numbers.jpg")
    assert (done.returncode, done.stdout) == (2, "")
    assert "numbers.jpg is small for the picture; crop it closer to the one digit" in done.stderr


def test_evaluate_names_the_image_that_look_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import numpy as np

    shown: list[np.ndarray] = []
    monkeypatch.setattr("digitscope.plots.write.write_look", lambda model, pixels, *_: shown.append(pixels) or [])
    images, labels = load_mnist()[1]
    np.savez(tmp_path / "own.npz", x=images[:300], y=(labels[:300] + (np.arange(300) == 2)) % 10)
    done = run("evaluate", "classic", "--data", "own.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "note: classic learned from MNIST" in done.stderr and "not from own.npz" in done.stderr
    assert "own.npz, image 2 " in done.stdout
    done = run("look", "own.npz, image 2", "--data", "own.npz", "--out", "look", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(*shown, images[2])


def test_evaluate_text_and_info_and_version():
    done = run("evaluate", "classic")
    assert done.returncode == 0, done.stderr
    assert "10,000" in done.stdout
    shown = run("info").stdout
    assert "keras" in shown and re.search(r"^engine auto  (own|ocr)$", shown, re.MULTILINE)
    assert re.search(r"^train +installed$", shown, re.MULTILINE) and re.search("^ocr +", shown, re.MULTILINE)
    assert run("--version").stdout.startswith("digitscope 0.")


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]):
    from digitscope.cli.terminal import table

    table(["is", "0", "1"], [["0", "980", "·"], ["1", "·", "7"], ["none", "·", "·"]])
    assert capsys.readouterr().out == "is      0  1\n0     980  ·\n1       ·  7\nnone    ·  ·\n\n"


def test_a_picture_is_looked_at_without_loading_mnist(
    sevens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from digitscope.cli import looking

    def never(*given: object) -> None:
        raise AssertionError("nothing of the data is needed")

    def drawn(model: object, pixels: object, folder: Path, title: str, progress: object) -> list[Path]:
        return [folder / title]

    monkeypatch.setattr("digitscope.cli.looking.load_data", never)
    monkeypatch.setattr("digitscope.datasets.lookup.load_dataset", never)
    monkeypatch.setattr("digitscope.plots.write.write_look", drawn)
    looking.look(str(sevens / "seven.png"), out=tmp_path)
    assert capsys.readouterr().out.startswith(f"1 files in {tmp_path}")


def test_data_and_look_write_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done = run("data", "--out", tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert "5,923" in done.stdout
    assert len(list((tmp_path / "data").glob("*.png"))) >= 5
    monkeypatch.setattr(
        "digitscope.plots.write.save", lambda _, path: write_bytes(path, b"") or path
    )  # drawn, not saved
    done = run("look", "test:17", "--out", tmp_path / "look")
    assert done.returncode == 0, done.stderr
    assert {"overview.png", "overview.svg"} <= {path.name for path in (tmp_path / "look").iterdir()}


def test_python_runs_the_package():
    done = subprocess.run(
        [sys.executable, "-m", "digitscope", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith("digitscope 0."), done.stderr


@pytest.mark.parametrize("words", [["--help"], ["info"], ["read", "--help"]], ids=" ".join)
def test_a_standard_output_that_is_full_is_one_sentence(words: list[str]):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    program = [sys.executable, "-m", "digitscope", *words]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = (
        "digitscope: the standard output cannot be written (No space left on device); make room, or send it elsewhere"
    )
    assert (done.returncode, done.stderr.strip()) == (2, said)
