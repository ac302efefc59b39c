"""How the student is trained, and where."""

from __future__ import annotations

from pathlib import Path

from models.train.settings import Settings

LAST, FINAL = Path("build/runs/student"), Path("build/runs/student-final")

STUDENT = Settings(
    blocks=(*Settings().blocks, (192, 1)),
    dropout=0.15,
    initialization=("models",),
    epochs=60,
    warmup_epochs=1.0,
    sides=((0.0, 40), (0.5, 48)),
    label_smoothing=0.05,
    distillation=0.75,
    votes_weight=0.7,
    cutout_rate=0.3,
)
"""From the network that ships, and mostly from the teachers: a student of a patient teacher gets better for
hundreds of epochs (arXiv 2106.05237), and labels of one person each are the noisier target."""
