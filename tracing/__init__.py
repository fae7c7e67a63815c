"""Follow one request through every layer: the edge, the gateway, the function, and its trace."""
