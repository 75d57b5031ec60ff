"""The part of docs/threat-model.md on what the reliability campaign found, from `benchmarks/results/campaign.json`."""

from __future__ import annotations

from typing import Any

from digitscope.formatting import counted, markdown_table

READERS = {
    "image": "pictures, TIFF among them",
    "pdf": "PDFs, and the check of their packed parts",
    "idx": "IDX",
    "npz": "NPZ",
    "table": "tables of pixels",
    "onnx": "networks in ONNX",
    "keras": "networks in Keras' format",
}

KILLS = {
    "batch": "`digitscope read` of a folder",
    "train": "`digitscope train`",
    "sweep": "`digitscope sweep`",
    "review": "corrections in a review queue",
}


def campaign_part(found: dict[str, Any]) -> str:
    """What fuzzing did with each reader and kill -9 with each kind of work."""
    readers, killed = found["readers"], found["kills"]
    fuzzed = markdown_table(
        ("reader", "inputs", "read", "refused", "most memory of the process", "findings"),
        [
            [name, *(f"{readers[reader][key]:,}" for key in ("inputs", "read", "refused")),
             f"{readers[reader]['megabytes']} MB", str(len(readers[reader]["findings"]))]
            for reader, name in READERS.items()
        ],
    )  # fmt: skip
    kills = markdown_table(
        ("killed", "kills", "lost, doubled or damaged"),
        [[name, str(killed[kind]["kills"]), str(len(killed[kind]["findings"]))] for kind, name in KILLS.items()],
    )
    inputs = sum(reader["inputs"] for reader in readers.values())
    findings = sum(len(one["findings"]) for one in (*readers.values(), *killed.values()))
    limits = found["limits"]
    return (
        f"{inputs:,} inputs and {sum(one['kills'] for one in killed.values())} kills: {counted(findings, 'finding')}. "
        f"A finding is anything but an answer or a refusal in one sentence: an exception of another kind, a crash, "
        f"{limits['seconds']} s for an input ({limits['seconds_pdf']} s for a PDF, whose own limit is of processor "
        f"time), or {limits['megabytes']:,} MB. Machine: {found['machine']}.\n\n{fuzzed}\n\n{kills}"
    )
