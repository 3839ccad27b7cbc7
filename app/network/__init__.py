"""The brand and the network it does not own: chains, resellers, outlets, tills, staff, cost centres."""
