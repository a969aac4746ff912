"""The proofs against a brute force, in a world so small that random documents meet every coincidence of names in it."""
