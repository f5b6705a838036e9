"""Runs of notebooks with one's own parameters, kept under `runs/` with a record of each.

A run is a folder: the executed copy of a notebook, and `record.json`, which says what was run, with
which parameters and code, where, how long, and what became of the claims. Nothing is written to
`notebooks/`. `ntk run`, `ntk sweep`, `ntk runs` and `ntk claims` are the commands.
"""
