"""What load balancers and monitors ask."""
