"""What the processor can do is asked, and what the user has forbidden is heeded."""

from __future__ import annotations

import pytest

from digitscope import environment


@pytest.mark.parametrize(
    ("features", "allowed", "expected"),
    [
        (["avx2", "avx512_bf16"], None, True),
        (["avx2", "avx512_bf16"], "AVX2", False),
        (["avx2", "avx512_bf16"], "avx512_core", False),
        (["avx2", "avx512_bf16"], "AVX512_CORE_BF16", True),
        (["avx2", "amx_bf16"], "AVX512_CORE_AMX", True),
        (["avx2", "amx_bf16"], "DEFAULT", True),
        (["avx2"], None, False),
        (["avx2"], "ALL", False),
    ],
)
def test_bfloat16_is_used_where_the_processor_has_it_and_onednn_may(
    features: list[str], allowed: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
):
    """With ONEDNN_MAX_CPU_ISA=AVX2 a fit in bfloat16 ended in a traceback: oneDNN has no kernel for it."""
    monkeypatch.setattr(environment, "processor_features", lambda: features)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if allowed is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    assert environment.has_bfloat16() is expected
