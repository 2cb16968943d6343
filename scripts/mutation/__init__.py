"""How strong the tests are: faults that are seeded into the facade and the generated package, and which are noticed."""
