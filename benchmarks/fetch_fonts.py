"""Fetch the openly licensed fonts for synthetic lines into a cache folder outside the repository.

Each font is an npm package `@fontsource/NAME` under the OFL 1.1 or the Apache 2.0 licence; fonts with another licence
are skipped. Their versions and licences are listed beside them, in `fonts.json`.

Usage: python benchmarks/fetch_fonts.py [FOLDER] [--few]     --few: three of each kind, enough for the tests
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FAMILIES = {
    "handwritten": """
amatic-sc annie-use-your-telescope architects-daughter bad-script beth-ellen bilbo caveat caveat-brush
cedarville-cursive coming-soon covered-by-your-grace crafty-girls dawning-of-a-new-day dekko delius
edu-nsw-act-foundation edu-sa-beginner edu-vic-wa-nt-beginner fuzzy-bubbles gaegu give-you-glory gloria-hallelujah
gochi-hand grape-nuts gveret-levin handlee hi-melody homemade-apple indie-flower just-another-hand
just-me-again-down-here kalam klee-one kristi la-belle-aurore league-script licorice liu-jian-mao-cao
loved-by-the-king mali mansalva marck-script meddon mr-de-haviland mrs-saint-delafield mynerve nanum-brush-script
nanum-pen-script neucha nothing-you-could-do oooh-baby over-the-rainbow pangolin patrick-hand permanent-marker
playwrite-cl playwrite-de-grund playwrite-es playwrite-fr-moderne playwrite-it-moderna playwrite-pl
playwrite-us-trad qwigley reenie-beanie rock-salt rouge-script ruthie schoolbell sedgwick-ave send-flowers
shadows-into-light short-stack square-peg sriracha sue-ellen-francisco sunshiney swanky-and-moo-moo
the-girl-next-door vibur waiting-for-the-sunrise walter-turncoat yomogi zen-kurenaido zeyada zhi-mang-xing
""",
    "printed": """
courier-prime eb-garamond ibm-plex-mono inconsolata inter lato libre-baskerville noto-serif open-sans oswald
playfair-display roboto roboto-condensed roboto-slab source-code-pro vt323
""",
}
LICENCES = ("OFL-1.1", "Apache-2.0", "Apache 2.0")


def fetch(name: str, folder: Path) -> dict[str, str] | None:
    """The Latin subset of one family in regular weight; None if there is none or it is not openly licensed."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"@fontsource/{name}"], cwd=scratch, capture_output=True, text=True, check=False
        )
        packed = list(Path(scratch).glob("*.tgz"))
        if done.returncode or not packed:
            return None
        with tarfile.open(fileobj=io.BytesIO(packed[0].read_bytes())) as archive:
            about = json.load(archive.extractfile("package/package.json"))  # type: ignore[arg-type]
            names = archive.getnames()
            wanted = next(
                (f"package/files/{name}-{part}-400-normal.woff2" for part in ("latin", "latin-ext")
                 if f"package/files/{name}-{part}-400-normal.woff2" in names), None
            )  # fmt: skip
            if wanted is None or about.get("license") not in LICENCES:
                return None
            content = archive.extractfile(wanted)
            if content is None:
                return None
            target = folder / f"{name}.woff2"
            target.write_bytes(content.read())
    return {"name": name, "version": about["version"], "licence": about["license"], "file": str(target.name)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = os.environ.get("DIGITSCOPE_FONTS", str(Path.home() / ".cache" / "digitscope" / "fonts"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path(usual))
    parser.add_argument("--few", action="store_true")
    asked = parser.parse_args()
    folder = asked.folder
    listed: dict[str, list[dict[str, str]]] = {}
    for kind, text in FAMILIES.items():
        names = text.split()[:3] if asked.few else text.split()
        (folder / kind).mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda name, kind=kind: fetch(name, folder / kind), names))
        listed[kind] = [font for font in found if font is not None]
        missing = [name for name, font in zip(names, found, strict=True) if font is None]
        print(f"{kind}: {len(listed[kind])} fonts" + (f"; missing or not open: {', '.join(missing)}" * bool(missing)))
    (folder / "fonts.json").write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
