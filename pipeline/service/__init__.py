"""Serves a pushed model over HTTP: one process answers requests, another one for each version works them out."""
