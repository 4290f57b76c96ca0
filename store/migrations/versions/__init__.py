"""store.migrations.versions — the revisions. A revision that has landed is never edited."""
