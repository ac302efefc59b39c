"""Which of the server's endpoints are public; all others must refuse whoever is not a signed-in host."""

PUBLIC = {
    "static", "live.index", "live.authority", "health.healthz", "health.readyz", "analyze.analyze",
    "metrics.metrics", "room.ask_code", "room.show", "language.choose", "language.texts", "about.about",
    "files.index", "documentation.openapi_document", "documentation.docs", "markers.clock",
    "embed.mien_module", "embed.jspsych_module", "embed.show", "embed.status",
    "jobs.create_job", "jobs.list_jobs", "jobs.show_job", "jobs.delete_job", "job_files.job_results",
    "job_files.job_annotated", "job_files.job_report", "job_files.job_input",
}  # fmt: skip
"""What anybody may open, of a room the text that people read before they consent; the rest is a host's.

The metrics are for programs on this machine, as tests are; tests/web/test_metrics.py asks from elsewhere.
"""
