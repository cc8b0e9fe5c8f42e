"""The pipeline: its configuration, its DAG and the ways to run it."""
