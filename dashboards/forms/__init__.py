"""Read what people ask and type, and say in words what is wrong with it."""
