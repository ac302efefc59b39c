"""The teachers of the served network: alike in their data, different in what they are.

Their errors must differ for their mean to be better than each: seed, width, depth, resolution, stem and
targets do. Each has at most 1.5 M parameters, so that a snapshot takes at most 3 MB in `models/teachers`;
published networks of 1 to 5 M reach 72 to 73% alone and 75% in an ensemble of eight (arXiv 1612.02903). On
two idle cores they take 1.7 to 3.5 ms a face of 48 pixels, which is 50 to 100 s an epoch.

Those of `recognition` start from what a face recognition network knows of faces and learn most in their
first epochs, so they come first; the others start from nothing, the narrow and deep one as the quickest.
"""

from __future__ import annotations

from models.train.teachers.settings import TeacherSettings

NARROW = TeacherSettings(
    cycles=(30, 40, 40),
    blocks=((32, 2), (32, 1), (64, 2), (64, 1), (64, 1), (128, 2), (128, 1), (128, 1)),
    votes_fraction=0.0,
    label_smoothing=0.1,
    dropout=0.2,
    mixing_rate=0.3,
    seed=4,
)

WIDE = TeacherSettings(
    stem=(64, 2),
    blocks=((64, 1), (128, 2), (128, 1), (192, 2)),
    cycles=(40, 30, 30),
    votes_fraction=0.5,
    dropout=0.3,
    mixing_rate=0.3,
    seed=2,
)

DEEP = TeacherSettings()

LARGE = TeacherSettings(
    stem=(32, 2),
    blocks=((40, 1), (40, 1), (80, 2), (80, 1), (160, 2), (160, 1)),
    sides=((0.0, 48), (0.5, 64)),
    votes_fraction=0.2,
    seed=3,
)

MIXED = TeacherSettings(
    stem=(48, 2),
    blocks=((48, 1), (96, 1), (96, 2), (128, 1), (192, 2)),
    votes_fraction=0.4,
    votes_weight=1.0,
    mixing_rate=0.8,
    seed=5,
)

RECOGNITION = TeacherSettings(
    pooled_stem=True,
    blocks=(*3 * ((32, 1),), (64, 2), *3 * ((64, 1),), (128, 2), *2 * ((128, 1),)),
    cycles=(24, 24),
    peak_learning_rate=0.05,
    sides=((0.0, 48), (0.6, 64)),
    mixing_rate=0.3,
    seed=6,
)

RECOGNITION_WIDE = TeacherSettings(
    pooled_stem=True,
    blocks=(*3 * ((32, 1),), (64, 2), *3 * ((64, 1),), (160, 2), (160, 1)),
    cycles=(24, 24),
    peak_learning_rate=0.05,
    sides=((0.0, 40), (0.5, 56)),
    votes_fraction=0.0,
    label_smoothing=0.1,
    mixing_rate=0.2,
    seed=7,
)

TEACHERS = {
    "recognition": RECOGNITION,
    "recognition_wide": RECOGNITION_WIDE,
    "narrow": NARROW,
    "wide": WIDE,
    "deep": DEEP,
    "large": LARGE,
    "mixed": MIXED,
}
"""The settings of each teacher, in the order in which they are trained."""
