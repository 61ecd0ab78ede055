"""Open Training Emissions: energy and CO2e of training machine-learning models, from public facts."""
