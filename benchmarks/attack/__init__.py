"""The gate under attack: mutants of a good model and honest trainings of it, judged by the Evaluator as a run is."""
