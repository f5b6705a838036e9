"""Speed, memory and accuracy beside the peer and beside the machine's limit.

``make bench`` runs everything; ``python -m benchmarks --help`` lists the parts. Modules that a
worker loads (`case`, `worker`, `networks`, `cases`) need no more than NumPy, since they also run in
the peer's own environment, which has neither `ntk` nor its dependencies.
"""
