"""Programs and their versions, earning, card filling: the one write path."""
