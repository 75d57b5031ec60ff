"""Digitscope over HTTP: the interface for programs under ``/v1``, health and metrics, and the page to draw digits in.

It recognises nothing itself: ``models`` classifies, ``reading`` reads, ``web.lens`` makes the page. Start with ``api``,
which has the routes, and ``server``, which starts and ends it all. Its settings are in ``settings``.
"""
