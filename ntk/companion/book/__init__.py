"""The machinery of the notebooks and the site: pairing, execution, comparison, verification, build.

Every notebook is a pair: `NN_slug.md`, which is written, and `NN_slug.ipynb`, which is executed and
shown. The modules here keep the two the same, execute what has changed, and refuse what must not be
published; `ntk book` runs them.
"""
