"""tests.judges — programs that let stock clients judge what an authority signs, one for each; none knows our code."""
