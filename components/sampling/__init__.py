"""The training rows of an epoch: the same ones in the same order, whether they go into files or straight to a step."""
