"""The machine and the installed versions, found without importing any package."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "typer", "rich", "keras", "tensorflow-cpu",
            "tensorflow", "torch", "jax", "onnx", "tf2onnx", "scikit-learn", "matplotlib", "seaborn")  # fmt: skip
"""Packages whose versions ``digitscope info`` shows."""

FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_vnni")
"""Processor features that make networks faster, as Linux names them."""


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Name -> version of Python, of Digitscope, and of those ``packages`` that are installed."""
    found = {"python": sys.version.split()[0]}
    for package in ("digitscope", *packages):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor_features() -> list[str]:
    """Those of ``FEATURES`` that Linux reports; empty on other systems."""
    flags = _processor().get("flags", "").split()
    return [feature for feature in FEATURES if feature in flags]


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, which makes a fit faster, and oneDNN may use that.

    ``ONEDNN_MAX_CPU_ISA`` can forbid it; then oneDNN has no kernel for such a fit.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    forbidden = allowed not in ("", "ALL", "DEFAULT") and not re.search("BF16|FP16|AMX|AVX10", allowed)
    return not forbidden and not {"avx512_bf16", "amx_bf16"}.isdisjoint(processor_features())


def machine() -> str:
    """System, architecture, processor and number of processors, in one line."""
    model = _processor().get("model name") or platform.processor() or platform.machine()
    return f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} processors"


def _processor() -> dict[str, str]:
    """What Linux reports about the first processor, name -> value; empty on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
