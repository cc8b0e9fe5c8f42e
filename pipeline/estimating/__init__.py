"""What a run will take, before it runs: rows, seconds, memory and disk of each step."""
