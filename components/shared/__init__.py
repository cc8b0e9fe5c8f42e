"""What several components need: errors, progress, parameters, random streams, Beam on all cores, ALS."""
