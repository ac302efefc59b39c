"""The methods of a study in words, with the numbers of the room, to be cited in a paper."""

from __future__ import annotations

from webapp.export.report.facts import Facts
from webapp.export.statistics.main_face import MIN_FRAMES


def methods(facts: Facts) -> list[str]:
    """The paragraphs, without markup."""
    return [
        " ".join(part for part in parts if part)
        for parts in (_measurement(facts), _missing(facts), _statistics(facts))
    ]


def _measurement(facts: Facts) -> list[str]:
    runtime = f", run by {facts.runtime}" if facts.runtime else ""
    return [
        f"Facial expressions were measured with Mien {facts.version} (expression model "
        f"{facts.models}{runtime}) from the webcams of {_count(facts.people, 'participant')}, in "
        f"{_count(facts.recordings, 'recording')} of {facts.minutes:.1f} minutes in all ({facts.dates}).",
        _rate(facts),
        "In each frame, faces were found by BlazeFace, aligned by the landmarks of Google's Face Mesh, and "
        "classified by a convolutional network trained on FER2013 with FER+ votes, which gives the "
        "probabilities of anger, disgust, fear, happiness, sadness, surprise and neutral; they sum to 1. "
        "Valence is the probability of happiness minus the largest of those of anger, disgust, fear and "
        "sadness.",
        "All results are those of single frames, unsmoothed.",
        _smoothing(facts),
    ]


def _rate(facts: Facts) -> str:
    if facts.rates_per_s is None:
        return ""
    low, mean, high = facts.rates_per_s
    return (
        f"A mean of {mean:.1f} frames per second was analyzed for each participant ({low:.1f} to {high:.1f})."
    )


def _smoothing(facts: Facts) -> str:
    if facts.smoothing_s is None:
        return ""
    return (
        f"The live view smoothed probabilities with a time constant of {facts.smoothing_s:g} s unless a "
        "participant's page asked for another one; the smoothed values are in the data and are not "
        "reported here."
    )


def _missing(facts: Facts) -> list[str]:
    if facts.face_share is None:
        return ["No frame was recorded."]
    quality = "" if facts.quality is None else f" Mean FaceScore was {facts.quality:.2f}."
    lost = f" {facts.lost} samples were lost since the server's start." if facts.lost else ""
    waiting = f" {facts.waiting} samples were not stored yet and are not in this export." * bool(
        facts.waiting
    )
    return [
        f"A face was found in {100 * facts.face_share:.1f}% of a participant's frames on average; the other "
        f"frames are missing data, and were neither interpolated nor replaced.{quality}{lost}{waiting}",
        _others(facts),
    ]


def _others(facts: Facts) -> str:
    if not facts.frames_with_others:
        return "No frame showed more than one face."
    return (
        f"{facts.frames_with_others} frames of {_count(facts.people_with_others, 'participant')} showed more "
        "than one face. Of these only the main face counted: the one with the largest mean box over its "
        f"recording, where a face that was tracked for fewer than {MIN_FRAMES} frames weighed proportionally "
        "less."
    )


def _statistics(facts: Facts) -> list[str]:
    interval = (
        "Intervals are 95% confidence intervals of Student's t distribution over participants."
        if facts.people > 1
        else ""
    )
    return [
        "Frames were averaged for each participant, and the participants' means for the group, so that every "
        "participant counted alike.",
        interval,
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
