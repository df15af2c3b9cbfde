"""Bugs on purpose: patches that put one into the tree, and the test that must catch each."""
