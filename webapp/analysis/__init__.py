"""The analysis of frames: sessions, tracking, smoothing, the pool of vision workers, and files.

    from webapp.analysis import FileEngine, analyze_image, analyze_video

These are loaded when they are first used, as the serving process, which imports this package too, must hold
no vision library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webapp.analysis.files import FileEngine, analyze_image, analyze_video

__all__ = ["FileEngine", "analyze_image", "analyze_video"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or a function
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from webapp.analysis import files

    return getattr(files, name)
