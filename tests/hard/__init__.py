"""tests.hard — Section F in hard cases, one scenario a test: what is decided, waits, is said and taken back."""
