"""The pipeline's components, one folder each, and the few modules that they share."""
