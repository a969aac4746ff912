"""The embedded AWS that `make up` deploys into: a simulator whose identity pool signs in, vends and enforces."""
