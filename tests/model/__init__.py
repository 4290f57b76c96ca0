"""tests.model — a model of Trial Device Approvals in few lines, and a machine that holds the authority to it."""
