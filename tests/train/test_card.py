from __future__ import annotations

import hashlib
import json
import re

import pytest

from models.train.export import MODEL_FILES, MODELS
from webapp.protocol import LABELS

CARD = (MODELS / "README.md").read_text()


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_card_names_the_files_that_are_here(name: str) -> None:
    line = re.search(rf"\| `{re.escape(name)}` \| `([0-9a-f]{{64}})` \|", CARD)
    assert line is not None
    assert line[1] == hashlib.sha256((MODELS / name).read_bytes()).hexdigest()


def test_the_shipped_labels_are_those_of_the_program() -> None:
    assert json.loads((MODELS / "labels.json").read_text()) == list(LABELS)


def test_the_card_says_where_the_model_must_not_be_used() -> None:
    assert "Art. 5(1)(f)" in CARD
    assert "at work or in education" in CARD
