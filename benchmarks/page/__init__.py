"""The page of the book about speed, memory and accuracy, made from the records alone."""

from benchmarks.page.write import write

__all__ = ["write"]
