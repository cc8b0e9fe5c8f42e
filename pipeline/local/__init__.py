"""The pipeline on one machine, with TFX's BeamDagRunner."""
