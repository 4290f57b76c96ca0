"""tests — proofs, by example, property, state machine, hostile input and power cut; real parts only."""
