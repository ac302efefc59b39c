"""The job process: it runs one lane's jobs from a Huey queue. Nobody imports this but the process itself."""
