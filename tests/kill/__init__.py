"""tests.kill — a scenario, a process that dies at each of its boundaries, a restart, and what must hold then."""
