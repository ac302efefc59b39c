"""`report.html`: the recordings of a room at a glance, in one file that needs nothing else."""
