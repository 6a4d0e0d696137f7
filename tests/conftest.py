"""Puts this folder on the path, so that tests of one folder may use the tables of another."""
