"""What a pushed model promises: its signatures, exporting and loading it, and the versions of a push destination."""
