"""How busy a page's main thread is, by the browser's own count, and what it receives meanwhile."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page


def busy_s(session: CDPSession) -> float:
    """The processor time that the main thread has spent on tasks."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def received_answers(page: Page) -> list[str]:
    """A list that fills with the acknowledgements that a page, not opened yet, receives."""
    answers: list[str] = []

    def listen(payload: str | bytes) -> None:
        if isinstance(payload, str) and payload.startswith("43"):
            answers.append(payload)

    page.on("websocket", lambda socket: socket.on("framereceived", listen))
    return answers
