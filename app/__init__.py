"""app — the only room that knows all others: settings, wiring, processes and the command line; no logic."""
