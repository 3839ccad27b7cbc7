"""Stand-ins for the services of others, on loopback, for the demo and the tests; strict."""
