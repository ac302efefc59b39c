"""A student that starts from a teacher's snapshot; left out where PyTorch is not installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.train.runs import RunError
from models.train.settings import Settings
from tests.train.data_files import noise

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from torch import Tensor, nn  # noqa: E402 - PyTorch itself

from models.train.student.initialization import initialize_from_teacher  # noqa: E402 - these import PyTorch
from models.train.student.network import StudentNetwork  # noqa: E402
from models.train.teachers.network import build_teacher  # noqa: E402
from models.train.teachers.settings import TeacherSettings  # noqa: E402
from models.train.teachers.snapshots import Snapshot, save_snapshot  # noqa: E402

TEACHER = TeacherSettings(stem=(4, 1), pooled_stem=True, blocks=((4, 1), (8, 2)))
STUDENT = replace(Settings(), stem=(4, 1), pooled_stem=True, blocks=TEACHER.blocks)


def learnt_teacher(faces: Tensor, path: Path, settings: TeacherSettings = TEACHER) -> nn.Module:
    """A teacher whose normalisations know these faces, and its snapshot."""
    torch.manual_seed(1)
    network = build_teacher(settings)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = None
    with torch.no_grad():
        network.train()(faces)
    save_snapshot(path, network.state_dict(), Snapshot(settings, 1, 0.5, "0"))
    return network.eval()


@pytest.mark.parametrize("more", [(), ((8, 1),)], ids=["alike", "deeper"])
def test_a_student_answers_at_first_as_the_teacher(more: tuple[tuple[int, int], ...], tmp_path: Path) -> None:
    """But for the teacher's own normalisation of each face, which faces of noise have alike."""
    faces = noise(64)
    grey = torch.from_numpy(faces[:, None].astype(np.float32))
    teacher = learnt_teacher(grey, tmp_path / "teacher-1.npz")
    torch.manual_seed(2)
    student = StudentNetwork(replace(STUDENT, blocks=(*STUDENT.blocks, *more)))
    initialize_from_teacher(student, tmp_path / "teacher-1.npz", faces)
    with torch.inference_mode():
        expected = teacher(grey)
        for answers, wanted in zip(student.eval()(grey), expected, strict=True):
            assert answers.numpy() == pytest.approx(wanted.numpy(), abs=0.1)
            assert np.ptp(wanted.numpy()) > 1


@pytest.mark.parametrize("blocks", [((4, 1), (12, 2)), ((4, 1), (8, 2), (8, 1))], ids=["wider", "deeper"])
def test_a_teacher_that_is_no_part_of_the_student_is_refused(
    blocks: tuple[tuple[int, int], ...], tmp_path: Path
) -> None:
    path = tmp_path / "other-1.npz"
    learnt_teacher(torch.zeros(2, 1, 48, 48), path, replace(TEACHER, blocks=blocks))
    with pytest.raises(RunError, match=r"other-1\.npz cannot initialize"):
        initialize_from_teacher(StudentNetwork(STUDENT), path, noise(8))
