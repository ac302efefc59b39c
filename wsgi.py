"""The entry: `python wsgi.py`, with settings from `MIEN_` variables (docs/settings.md)."""

from __future__ import annotations

import gc
import sys
import warnings


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    gc.disable()  # of what the start loads nothing is garbage; `keep_what_exists` turns the search on again
    with warnings.catch_warnings():
        # eventlet announces its own end on import; docs/decisions says why it is used all the same.
        warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
        import eventlet

    eventlet.monkey_patch()  # before anything else imports sockets or threads

    from webapp.app import Application
    from webapp.config import Settings, log_settings
    from webapp.errors import MienError
    from webapp.server.data_dir import prepare_data_dir
    from webapp.server.logs.log_limits import start_logging
    from webapp.server.run import serve

    try:
        start_logging(**log_settings())
        settings = Settings.from_env()
        prepare_data_dir(settings.data_dir)
        serve(Application.build(settings), settings)
    except MienError as error:
        sys.exit(f"mien: {error}")


if __name__ == "__main__":
    main()
