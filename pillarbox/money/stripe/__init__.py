"""Stripe: what it posts, turned into what it means for donations and pledges."""
