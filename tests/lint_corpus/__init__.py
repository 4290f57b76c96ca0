"""tests.lint_corpus — how the files under tests/vectors/lint were made; it judges nothing.

`python -m tests.lint_corpus` writes them again. Each module spoils one thing at a time about a sound document and says
what is to be found. A file that is dropped into the corpus by hand is none of its business and stays.
"""
