"""The published language: what each owner hears and says on Kafka, one module an owner."""
