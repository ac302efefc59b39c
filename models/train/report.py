"""The report of an evaluation: one HTML page that needs no server, its plots, a summary for terminals."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader
from matplotlib.figure import Figure

from models.train.scores import reliability

TEMPLATE = "report.html"
WAYS = {
    "crops": "Given crops, one crop",
    "crops_mirrored": "Given crops, mirrored where undecided",
    "end_to_end_one_crop": "End to end, one crop",
    "end_to_end": "End to end",
}


def table(result: dict[str, Any]) -> str:
    """A summary for people at a terminal, from the JSON form of an evaluation."""
    lines = []
    for way, figures in result["ways"].items():
        lines += _summary(WAYS[way], figures)
    if result["corruptions"]:
        lines += ["", "end to end, with corruption   accuracy    lost   found"]
    lines += [
        f"{name:>28} {of['accuracy']:>10.1%} {100 * of['lost']:>7.1f} {of['found']:>7.1%}"
        for name, of in result["corruptions"].items()
    ]
    return "\n".join(lines)


def _summary(title: str, figures: dict[str, Any]) -> list[str]:
    intervals = figures["intervals"]
    lines = [
        "",
        f"{title}: {figures['images']} faces, accuracy {_with_interval(figures, 'accuracy')}, balanced "
        f"{_with_interval(figures, 'balanced_accuracy')}, macro F1 {figures['macro_f1']:.2%}, "
        f"calibration error {_calibration(figures)}, found {figures['found']:.1%}",
        *_cross_validated(figures),
        *(f"  {line}" for line in _fer_plus(figures["fer_plus"])),
    ]
    if rest := figures.get("without_duplicates"):
        lines.append(
            f"  without {rest['duplicates']} near copies of training images: {rest['accuracy']:.2%}, "
            f"balanced {rest['balanced_accuracy']:.2%}, macro F1 {rest['macro_f1']:.2%}"
        )
    else:
        lines.append("  near copies of training images, if any, are in: none were given to compare with")
    lines.append(f"{'':>11} precision  recall      F1   95% interval of recall")
    lines += [
        f"{label:>11} {of['precision']:>9.1%} {of['recall']:>7.1%} {of['f1']:>7.1%}   "
        f"{_interval(intervals.get(f'recall_{label}'))}"
        for label, of in figures["classes"].items()
    ]
    return lines + _groups(figures["groups"])


def _with_interval(figures: dict[str, Any], name: str) -> str:
    return f"{figures[name]:.2%} ({_interval(figures['intervals'].get(name))})"


def _interval(bounds: tuple[float, float] | None) -> str:
    return f"{bounds[0]:.1%} to {bounds[1]:.1%}" if bounds else "no interval"


def _groups(groups: dict[str, Any]) -> list[str]:
    """A line for each group: its figures, and its gaps to all others with their intervals."""
    lines = [
        f"  {name}: {of['images']} faces, found {of['found']:.1%}, "
        f"accuracy {of['accuracy']:.1%} (gap to the others {_gap(of, 'accuracy')}), "
        f"balanced {of['balanced_accuracy']:.1%} (gap {_gap(of, 'balanced_accuracy')})"
        for name, of in groups.items()
    ]
    return ["", "  groups; a gap whose 95% interval holds 0 may be chance:", *lines] if lines else []


def _gap(group: dict[str, Any], name: str) -> str:
    gap = group["gaps"][name]
    low, high = gap["interval"]
    return f"{100 * gap['gap']:+.1f} points, {100 * low:+.1f} to {100 * high:+.1f}"


def _calibration(figures: dict[str, Any]) -> str:
    """The error on faces that calibration was not fitted on, and beside it the one on those of the fit."""
    own = f"{figures['calibration_error']:.3f}"
    if "cross_validated" not in figures:
        return own
    held_out = figures["cross_validated"]["calibration_error"]
    return f"{held_out:.3f} (cross-validated; {own} on the faces it was fitted on)"


def _cross_validated(figures: dict[str, Any]) -> list[str]:
    """The score with calibration and operating point fitted without the faces they are measured on."""
    if not (of := figures.get("cross_validated")):
        return []
    return [
        f"  cross-validated output: accuracy {of['accuracy']:.2%}, balanced {of['balanced_accuracy']:.2%}, "
        f"disgust {of['recall']['disgust']:.0%}, fear {of['recall']['fear']:.0%}"
    ]


def _fer_plus(figures: dict[str, Any]) -> list[str]:
    if not figures["images"]:
        return ["FER+: no votes"]
    how = "8 expressions" if figures["classes_answered"] == 8 else "the 7 labels, contempt never answered"
    left_out, icc = figures["left_out_voter"], figures["intraclass_correlation"]
    return [
        f"FER+: {figures['agreement']:.2%} ({_interval(figures['intervals']['agreement'])}) of "
        f"{figures['images']} faces as most voters ({how}), {figures['left_out']} without a majority are out",
        f"one voter against the majority of the others: {left_out['voter']:.2%}; the model against the same: "
        f"{left_out['model']:.2%}",
        f"divergence from the votes: {figures['kullback_leibler']:.3f} nats (Kullback-Leibler), "
        f"{figures['jensen_shannon']:.3f} bits (Jensen-Shannon)",
        "agreement with the fractions of votes, ICC(2,1): "
        + ", ".join(f"{name} {value:.2f}" for name, value in icc.items()),
    ]


def write_report(result: dict[str, Any], folder: Path) -> Path:
    """Write report.html and the plots that it holds; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = {}
    for way, figures in result["ways"].items():
        for kind, draw in (("confusion", confusion_plot), ("reliability", reliability_plot)):
            file = folder / f"{kind}-{way}.png"
            draw(figures).savefig(file, dpi=110)
            plots[way, kind] = base64.b64encode(file.read_bytes()).decode()
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    page = folder / "report.html"
    page.write_text(environment.get_template(TEMPLATE).render(result=result, plots=plots, titles=WAYS))
    return page


def confusion_plot(figures: dict[str, Any]) -> Figure:
    """True labels down, answers across, each row in parts of its faces."""
    labels, counts = figures["labels"], np.array(figures["confusion"])
    parts = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(parts, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answer", ylabel="label")
    for (row, column), part in np.ndenumerate(parts):
        axes.text(
            column, row, f"{part:.2f}", ha="center", va="center", color="white" if part > 0.5 else "black"
        )
    return figure


def reliability_plot(figures: dict[str, Any]) -> Figure:
    """How often answers are right, over how sure the model was; on the line it is as sure as it is right."""
    answers = figures["answers"]
    confidence, right, counts = reliability(
        np.array(answers["right"], bool), np.array(answers["confidence"], np.float32)
    )
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    upper.plot(confidence, right, marker="o", color="#0072B2")
    upper.set(ylabel="part that is right", ylim=(0, 1))
    lower.bar((np.arange(len(counts)) + 0.5) / len(counts), counts, width=0.9 / len(counts), color="#56B4E9")
    lower.set(xlabel="confidence", ylabel="answers", xlim=(0, 1))
    return figure
