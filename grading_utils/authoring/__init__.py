"""From `source/` to `release/`: scaffolds, the leak scan, and the proof that an assignment grades as promised."""
