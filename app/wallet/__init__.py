"""Passes for Apple Wallet and Google Wallet."""
