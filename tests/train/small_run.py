"""The settings of a network that trains in seconds."""

from __future__ import annotations

from dataclasses import replace

from models.train.settings import Settings

SMALL = replace(
    Settings(),
    stem=(4, 2),
    blocks=((8, 2),),
    dropout=0.0,  # its chances are not the same after a stop
    epochs=3,
    batch=16,
    warmup_epochs=0.5,
    ema_momentum=0.5,
)
