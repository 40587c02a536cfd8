"""Static files are packed at each start, in little time."""

from __future__ import annotations

from pathlib import Path

from portal.static_files import GzippedFiles


def test_they_are_packed_by_gzip_alone(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("a { color: red }\n" * 100)
    storage = GzippedFiles(location=tmp_path, base_url="/static/")
    made = list(storage.compress_files(["page.css"]))

    assert [packed for _, packed, *_ in made] == ["page.css.gz"]
