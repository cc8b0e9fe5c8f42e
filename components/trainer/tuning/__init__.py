"""Finding values for the keys of `trainer`: many trainings, told apart by the Trainer's own metric on validation."""
