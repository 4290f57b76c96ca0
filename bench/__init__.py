"""bench — timings, as figures with machine and date and as ratios within one run; nothing here decides a test."""
