"""store.verbs — what may be written, one family of rows per file: every change of state is a conditional write."""
