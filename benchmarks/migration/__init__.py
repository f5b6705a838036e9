"""The migration page checked by running both sides of each of its pairs.

``python -m benchmarks.migration`` executes the page's blocks in the peer's environment and in this
one, stores what came out, and writes the page's table of agreement.
"""
