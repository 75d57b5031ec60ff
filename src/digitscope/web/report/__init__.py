"""``report.html``: one self-contained page that explains how the network of a run reads, with its own numbers.

The text is in ``chapters/``, one Jinja2 template a chapter; each module beside it collects the facts of one theme. It
draws nothing itself (``plots``) and trains nothing (``training``). Start with ``build``.
"""
