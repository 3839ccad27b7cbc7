"""Rewards and the coupons that carry them."""
