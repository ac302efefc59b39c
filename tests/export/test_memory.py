"""An export streams: the memory of the server and of its store does not grow with the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.bench_export import FORMS, GROWTH_LIMIT_MB, LONG, SHORT, download, peaks_mb
from tests.helpers.long_recording import add_recording
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

SHORT_S, LONG_S = 40, 200
"""Kept whole, the samples of the long one would take some 55 MB."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'mien.sqlite'}"
    assert add_recording(url, SHORT, SHORT_S) == 6000
    assert add_recording(url, LONG, LONG_S) == 30_000
    return url


@pytest.mark.parametrize("form", FORMS)
def test_a_long_export_takes_no_more_memory_than_a_short_one(
    database: str, tmp_path: Path, form: str
) -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=database) as server:
        short = download(server, SHORT, form, tmp_path / "short.zip")
        before = peaks_mb(server)
        assert download(server, LONG, form, tmp_path / "long.zip") > 3 * short
        grown = {name: peak - before[name] for name, peak in peaks_mb(server).items()}
    assert max(grown.values()) < GROWTH_LIMIT_MB, grown
