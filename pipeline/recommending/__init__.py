"""What a pushed model recommends: for one user on the screen, for all of them in a file."""
