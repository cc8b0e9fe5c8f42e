"""Where interactions come from: one module for each kind of data set."""
