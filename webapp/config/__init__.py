"""What can be set, and what follows from where the project lies."""

from webapp.config.settings import (
    PROJECT_ROOT,
    LogFormat,
    Runtime,
    Settings,
    child_environment,
    is_shared,
    log_settings,
    serving_environment,
)

__all__ = [
    "PROJECT_ROOT",
    "LogFormat",
    "Runtime",
    "Settings",
    "child_environment",
    "is_shared",
    "log_settings",
    "serving_environment",
]
