"""`python -m pipeline`."""

from pipeline.cli import main

if __name__ == "__main__":  # processes that are started by this one import it
    main(prog_name="python -m pipeline")
