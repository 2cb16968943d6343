"""Check the types of the Python blocks of the documentation with mypy, as a user's project does after pasting them.

Usage, in tests/: python -m support.documented_types
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support.documented_code import AFTER, ROOT, blocks_of

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> int:
    """Write each block into a file, those that continue another one behind it; mypy's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        before = ""
        for page in PAGES:
            for block in blocks_of(page):
                if block.language != "python" or block.note.startswith("not run") or page.name == "api.md":
                    continue
                source = before + block.source if block.source.startswith(AFTER) else block.source
                before = source
                name = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
                (Path(folder) / f"{name}_{block.line}.py").write_text(source, "utf-8")
        options = ["--check-untyped-defs", "--ignore-missing-imports", f"--cache-dir={ROOT / '.mypy_cache' / 'pages'}"]
        sources = os.pathsep.join(str(ROOT / part) for part in ("src", "generated"))
        command = [sys.executable, "-m", "mypy", *options, "."]
        return subprocess.run(command, cwd=folder, env=os.environ | {"MYPYPATH": sources}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
