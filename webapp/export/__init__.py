"""A room's data as files: samples, markers, participants, the code book and the report."""
