"""Layers in which the examples of a batch meet: expectations over whole Gaussian batches."""
