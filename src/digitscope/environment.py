"""The machine and the installed versions, found out without importing any package."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "typer", "rich", "keras", "tensorflow-cpu",
            "tensorflow", "torch", "jax", "onnx", "tf2onnx", "scikit-learn", "matplotlib", "seaborn")  # fmt: skip
"""Packages whose versions ``digitscope info`` shows."""

FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_vnni")
"""Processor features that make networks faster, as Linux names them."""


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Versions of Python, Digitscope and those of ``packages`` that are installed, name -> version."""
    found = {"python": sys.version.split()[0]}
    for package in ("digitscope", *packages):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor_features() -> list[str]:
    """Those of ``FEATURES`` that Linux reports; empty on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    flags = next((line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("flags")), [])
    return [feature for feature in FEATURES if feature in flags]


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, which makes a fit faster."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(processor_features())


def machine() -> str:
    """System, architecture, processor and number of processors, in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} processors"
