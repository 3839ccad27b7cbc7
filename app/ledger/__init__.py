"""The books of earning: purchases, refunds, accounts and append-only entries."""
