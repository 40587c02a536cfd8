#!/usr/bin/env bash
# Take out of the image's build stage what the portal does not read. Run in the folder of the project.
set -euo pipefail

# Node.js and its packages have done their work, but for the icons that pages name.
icons=node_modules/@tabler/icons/icons
mv "$icons" /tmp/icons
rm -rf node_modules .venv/build
mkdir -p "$icons/outline" "$icons/filled"
grep --recursive --only-matching --no-filename --extended-regexp '[a-z0-9-]+' --include='*.html' --include='*.py' \
    templates common portal accounts pixels filters pipelines events alerts | sort --unique > /tmp/words
for kind in outline filled; do
    while read -r word; do
        if [ -f "/tmp/icons/$kind/$word.svg" ]; then cp "/tmp/icons/$kind/$word.svg" "$icons/$kind/"; fi
    done < /tmp/words
done

# Installers, what debuggers and type checkers read, tests of packages, and other sites that people could sign in with.
.venv/bin/python -m pip uninstall --quiet --yes setuptools pip
find .venv \( -name '*.so' -o -name '*.so.*' \) -exec strip --strip-unneeded {} +
find .venv -name tests -path '*/site-packages/*' -prune -exec rm -rf {} +
find .venv -name '*.pyi' -delete
rm -rf .venv/lib/python3*/site-packages/allauth/socialaccount/providers/*/

# Static files are served from where they were collected, under the names that tell their content. Debuggers read maps.
.venv/bin/python - <<'END'
import json
from pathlib import Path

folder = Path("collected")
for name, hashed in json.loads((folder / "staticfiles.json").read_text())["paths"].items():
    if name != hashed:
        (folder / name).unlink(missing_ok=True)
        (folder / f"{name}.gz").unlink(missing_ok=True)
END
find collected \( -name '*.map' -o -name '*.map.gz' \) -delete
find .venv -type d -name static -path '*/site-packages/*' -prune -exec rm -rf {} +

# Languages that the portal does not speak.
find .venv -name '*.dat' -path '*/babel/locale-data/*' ! -name 'root*' ! -name 'en*' ! -name 'es*' -delete
find .venv -mindepth 1 -type d -name LC_MESSAGES -path '*/locale/*' ! -path '*/en*' ! -path '*/es*' -prune -exec rm -rf {} +

# What only the project's own checks and builds read, and compiled Python: the container compiles to /tmp.
rm -rf tests bench docs pixel scripts deploy .venv/checked ./*.md ./requirements*
find . -name __pycache__ -prune -exec rm -rf {} +
