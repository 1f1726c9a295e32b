"""What is deployed: two folders with all that the functions import, and nothing else. `make build` makes them."""
