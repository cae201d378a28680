"""Everything of ours that runs in the untrusted process. Nothing in the other rooms may import from here."""
