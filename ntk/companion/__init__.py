"""What the book needs beside the mathematics: claims, data sets, figures, notebooks."""
