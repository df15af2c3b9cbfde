"""Door 2, jobs: a job is a request without HTTP. No rule, no SQL."""
